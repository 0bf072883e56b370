import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { openInspection, REGION_HEADER_BYTES, regionLength, regionMagic } from '../../inspect/index.js'
import { CANNOT_OPEN, Failure, FINE, numberOption, PROBLEMS, WrongCall, type Command } from '../command.js'
import { openCore, openProcess, type ProcessMemory } from '../memory.js'
import { harmless, showBytes } from '../output.js'

const CHUNK_BYTES = 2 ** 22
const PAGE_BYTES = 4096
/** Regions begin where memory for any type may. */
const ALIGNMENT = 8

export const extract: Command = {
  name: 'extract',
  operands: ['[CORE]'],
  summary: 'finds maps in a core dump, or in a running process, and writes them into files',
  options: {
    pid: { type: 'string', value: 'PID', help: 'look into this process instead; it goes on meanwhile' },
    output: { type: 'string', short: 'o', value: 'PREFIX', help: 'write each map into PREFIX-1.map, PREFIX-2.map ...' },
  },
  run(given, output) {
    const [core] = given.operands as [string | undefined]
    const pid = given.options.pid === undefined ? undefined : numberOption(given, 'pid', 1, 0)
    if ((core === undefined) === (pid === undefined))
      throw new WrongCall('mapsafe extract takes a core dump, or --pid.')
    const memory = core === undefined ? openProcess(pid!) : openCore(core)
    const prefix = given.options.output as string | undefined
    const found: object[] = []
    try {
      for (const { address, bytes, missing, entries, kind, problems, content } of regionsIn(memory)) {
        const file = prefix === undefined ? undefined : `${prefix}-${found.length + 1}.map`
        if (file !== undefined) write(file, content)
        const place = `0x${address.toString(16)}`
        found.push({ address: place, bytes, missing, kind, entries, problems, file })
        if (output.isJson) continue
        const lack = missing === 0 ? '' : `, of which ${showBytes(missing)} are not in the dump`
        output.line(
          `${kind} of ${showBytes(bytes)} at ${place}${lack}: ${entries} entries${file === undefined ? '' : `, written to ${harmless(file)}`}`,
        )
        if (problems > 0)
          output.line(
            `  ${problems} problems: mapsafe verify tells them. A write under way when the process ended is one.`,
          )
      }
    } finally {
      memory.close()
    }
    if (output.isJson) output.json({ regions: found })
    else if (found.length === 0)
      output.line('There is no map in it. Maps in files are not in core dumps: look at the files.')
    return found.length === 0 ? PROBLEMS : FINE
  },
}

interface Found {
  readonly address: number
  readonly bytes: number
  /** Bytes that the dump does not have. */
  readonly missing: number
  readonly kind: string
  readonly entries: number
  readonly problems: number
  readonly content: Uint8Array
}

function* regionsIn(memory: ProcessMemory): Iterable<Found> {
  const header = new Uint8Array(REGION_HEADER_BYTES)
  let end = 0
  for (const address of candidates(memory)) {
    // Nothing begins within a region, and what is in it may look like one.
    if (address < end || memory.read(address, header) < header.length) continue
    const bytes = regionLength(header)
    const found = bytes === undefined ? undefined : take(memory, address, bytes)
    if (found === undefined) continue
    end = address + found.bytes
    yield found
  }
}

/** Returns the region; undefined if it is only a copy of one's beginning, as programs have that read files. */
function take(memory: ProcessMemory, address: number, bytes: number): Found | undefined {
  const content = new Uint8Array(bytes)
  const missing = bytes - memory.read(address, content)
  using seen = openInspection(content)
  const { segments } = seen.stats()
  if (segments === 0) return undefined
  let [entries, problems] = [0, 0]
  for (const each of seen.entries({ onProblem: () => problems++ })) if (each.bytes > 0) entries++
  if (entries === 0 && problems > 0) return undefined
  problems = seen.verify().problems.length
  return { address, bytes, missing, kind: seen.settings.kind, entries, problems, content }
}

/** Yields the addresses at which the magic number stands. */
function* candidates(memory: ProcessMemory): Iterable<number> {
  const magic = regionMagic()
  const chunk = Buffer.alloc(CHUNK_BYTES)
  for (const { address, bytes } of memory.pieces) {
    // Chunks overlap, since a number may lie on the border of two.
    for (let at = 0; at < bytes; at += CHUNK_BYTES - magic.length) {
      const length = memory.read(address + at, chunk.subarray(0, Math.min(CHUNK_BYTES, bytes - at)))
      const read = chunk.subarray(0, length)
      for (let place = read.indexOf(magic); place >= 0; place = read.indexOf(magic, place + 1)) {
        if ((address + at + place) % ALIGNMENT === 0) yield address + at + place
      }
      if (length === 0) break
    }
  }
}

/** Writes a new file in which pages of zeros take no room. */
function write(file: string, content: Uint8Array): void {
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', 0o600)
  } catch (error) {
    throw new Failure(`Cannot make ${file}: ${(error as Error).message}.`, CANNOT_OPEN)
  }
  try {
    ftruncateSync(descriptor, content.length)
    for (let at = 0; at < content.length; at += PAGE_BYTES) {
      const page = content.subarray(at, at + PAGE_BYTES)
      if (page.some((byte) => byte !== 0)) writeSync(descriptor, page, 0, page.length, at)
    }
  } finally {
    closeSync(descriptor)
  }
}
