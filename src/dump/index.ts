/** The entry `mapsafe/dump`: maps as lines of JSON, and back. */
export { dumpLines, type DumpOptions, type DumpSource } from './lines.js'
export { loadLines, type Loaded, type LoadOptions } from './loading.js'
export { fromJson, toJson, type Json } from './forms.js'
