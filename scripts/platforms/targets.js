// The platforms that the package has binaries for. Thanks to Node-API one binary serves every version of Node.js.

/** The oldest glibc that the binaries for Linux need: that of Debian 10 and RHEL 8, which Node.js 20 needs, too. */
const GLIBC = '2.28'

/**
 * @typedef {object} Target
 * @property {string} name as given to build.js
 * @property {string} triple as the compiler names the platform
 * @property {string} file below prebuilds/, where node-gyp-build looks for it
 * @property {'elf' | 'macho' | 'coff'} format
 * @property {'x86_64' | 'aarch64'} machine
 * @property {string} [glibc] the newest version of glibc whose symbols it may need
 */

/** @type {readonly Target[]} */
export const targets = [
  linux('x64', 'glibc'),
  linux('arm64', 'glibc'),
  linux('x64', 'musl'),
  linux('arm64', 'musl'),
  {
    name: 'darwin-arm64',
    triple: 'aarch64-macos.11.0',
    file: 'darwin-arm64/mapsafe.node',
    format: 'macho',
    machine: 'aarch64',
  },
  {
    name: 'darwin-x64',
    triple: 'x86_64-macos.11.0',
    file: 'darwin-x64/mapsafe.node',
    format: 'macho',
    machine: 'x86_64',
  },
  {
    name: 'win32-x64',
    triple: 'x86_64-windows-gnu',
    file: 'win32-x64/mapsafe.node',
    format: 'coff',
    machine: 'x86_64',
  },
]

/** @returns {Target} */
function linux(arch, libc) {
  const machine = arch === 'x64' ? 'x86_64' : 'aarch64'
  return {
    name: `linux-${arch}-${libc}`,
    triple: `${machine}-linux-${libc === 'glibc' ? `gnu.${GLIBC}` : 'musl'}`,
    file: `linux-${arch}/mapsafe.${libc}.node`,
    format: 'elf',
    machine,
    glibc: libc === 'glibc' ? GLIBC : undefined,
  }
}
