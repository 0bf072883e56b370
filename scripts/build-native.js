// Builds the native engine into build/Release with node-gyp, unless it is newer than its sources. `--force` builds
// anyway.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bin, isStale, must } from './tools.js'

// Headers that came with this Node.js save node-gyp a download.
const prefix = dirname(dirname(process.execPath))
const nodedir = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []

if (
  process.argv.includes('--force') ||
  isStale('build/Release/mapsafe.node', 'native/core', 'native/platform', 'native/addon', 'binding.gyp')
) {
  must(bin('node-gyp'), ['configure', 'build', '--jobs=2', ...nodedir])
}
