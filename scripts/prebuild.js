// Puts the native engine where node-gyp-build looks for it in an installed package: prebuilds/PLATFORM-ARCH/. Thanks to
// Node-API one binary serves every Node.js version; on Linux there is one for each C library.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { must, root } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
const { glibcVersionRuntime } = process.report.getReport().header
const libc = process.platform !== 'linux' ? '' : glibcVersionRuntime ? '.glibc' : '.musl'
mkdirSync(folder, { recursive: true })
copyFileSync(join(root, 'build/Release/mapsafe.node'), join(folder, `mapsafe${libc}.node`))
