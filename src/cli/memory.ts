/**
 * The memory of a process: what a core dump has of it, or what /proc shows of one that runs. See core(5), elf(5), proc(5).
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { CANNOT_OPEN, Failure } from './command.js'

/** A stretch of memory, and where its bytes lie in the file. */
interface Piece {
  readonly address: number
  readonly bytes: number
  readonly offset: number
}

export class ProcessMemory {
  constructor(
    private readonly descriptor: number,
    /** In the order of addresses. */
    readonly pieces: readonly Piece[],
  ) {}

  /**
   * Reads from `address` on into `target`.
   *
   * @returns the number of bytes that there are without a gap
   */
  read(address: number, target: Uint8Array): number {
    let done = 0
    for (const piece of this.pieces) {
      const at = address + done
      if (piece.address > at) break
      if (piece.address + piece.bytes <= at) continue
      const length = Math.min(target.length - done, piece.address + piece.bytes - at)
      const got = this.readAt(piece.offset + at - piece.address, target.subarray(done, done + length))
      done += got
      if (got < length || done === target.length) break
    }
    return done
  }

  close(): void {
    closeSync(this.descriptor)
  }

  private readAt(offset: number, target: Uint8Array): number {
    let done = 0
    while (done < target.length) {
      let length = 0
      try {
        length = readSync(this.descriptor, target, done, Math.min(target.length - done, 2 ** 30), offset + done)
      } catch {
        // What may not be read of a process.
      }
      if (length === 0) break
      done += length
    }
    return done
  }
}

const ELF_HEADER_BYTES = 64
const SEGMENT_HEADER_BYTES = 56
const PT_LOAD = 1
const ET_CORE = 4
/** Number of segments that says that the number is elsewhere. */
const PN_XNUM = 0xffff
const SECTION_INFO = 44

/** @throws Failure if the file is not there, or no core dump of 64 bits in this machine's byte order */
export function openCore(path: string): ProcessMemory {
  const refuse = (problem: string): Failure =>
    new Failure(`Cannot read ${path} as a core dump: ${problem}.`, CANNOT_OPEN)
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    throw refuse((error as Error).message)
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw refuse('it is no file')
    const header = Buffer.alloc(ELF_HEADER_BYTES)
    if (readSync(descriptor, header, 0, ELF_HEADER_BYTES, 0) < ELF_HEADER_BYTES) throw refuse('it is too short')
    const isElf = header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1
    if (!isElf || endianness() !== 'LE') throw refuse('it is no ELF file of 64 bits, little-endian')
    if (header.readUInt16LE(16) !== ET_CORE) throw refuse('it is an ELF file, but no core dump')
    return new ProcessMemory(descriptor, piecesOf(descriptor, header, refuse))
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function piecesOf(descriptor: number, header: Buffer, refuse: (problem: string) => Failure): Piece[] {
  const table = Number(header.readBigUInt64LE(32))
  let count = header.readUInt16LE(56)
  if (count === PN_XNUM) {
    const section = Buffer.alloc(64)
    readSync(descriptor, section, 0, 64, Number(header.readBigUInt64LE(40)))
    count = section.readUInt32LE(SECTION_INFO)
  }
  if (count === 0 || count > 2 ** 20 || header.readUInt16LE(54) !== SEGMENT_HEADER_BYTES)
    throw refuse('it has no segments')
  const bytes = Buffer.alloc(count * SEGMENT_HEADER_BYTES)
  if (readSync(descriptor, bytes, 0, bytes.length, table) < bytes.length) throw refuse('it was cut off')
  const pieces: Piece[] = []
  for (let at = 0; at < bytes.length; at += SEGMENT_HEADER_BYTES) {
    if (bytes.readUInt32LE(at) !== PT_LOAD) continue
    const number = (field: number): number => Number(bytes.readBigUInt64LE(at + field))
    const piece = { offset: number(8), address: number(16), bytes: number(32) }
    if (piece.bytes > 0) pieces.push(piece)
  }
  return pieces.sort((a, b) => a.address - b.address)
}

/** @throws Failure if there is no such process, or it may not be looked at */
export function openProcess(pid: number): ProcessMemory {
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, 'latin1')
    const pieces: Piece[] = []
    for (const line of maps.split('\n')) {
      const [, from, to, path] = /^([\da-f]+)-([\da-f]+) rw\S* \S+ \S+ \d+ *(.*)$/.exec(line) ?? ['', '', '', '']
      // Memory of devices is not looked at.
      if (from === '' || (path.startsWith('/dev/') && !path.startsWith('/dev/shm/'))) continue
      const address = parseInt(from, 16)
      pieces.push({ address, offset: address, bytes: parseInt(to, 16) - address })
    }
    return new ProcessMemory(openSync(`/proc/${pid}/mem`, 'r'), pieces)
  } catch (error) {
    throw new Failure(
      `Cannot look at process ${pid}: ${(error as Error).message}. It must be yours, and ptrace allowed.`,
      CANNOT_OPEN,
    )
  }
}
