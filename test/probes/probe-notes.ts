/** Reads the notes of probes (USDT) from an ELF file: what tracers find in it. */
import { readFileSync } from 'node:fs'

/** A probe, as its note describes it. */
export interface ProbeNote {
  readonly provider: string
  readonly name: string
  /** Of each argument, its size in bytes, negative if it has a sign, and where it is: `8@%rax`. */
  readonly args: readonly string[]
  /** The bytes of the instruction at the probe. */
  readonly instruction: string
  /** The value in the file of the word that tracers count up; undefined if the probe has none. */
  readonly semaphore: number | undefined
}

interface Section {
  readonly name: string
  readonly address: number
  readonly offset: number
  readonly size: number
  readonly takesMemory: boolean
}

const SHT_NOBITS = 8
const SHF_ALLOC = 2
const NT_STAPSDT = 3

/** @returns undefined if the file is no ELF file of 64 bits with the lesser bytes first */
export function probeNotesOf(path: string): ProbeNote[] | undefined {
  const file = readFileSync(path)
  if (file.readUInt32LE(0) !== 0x464c457f || file[4] !== 2 || file[5] !== 1) return undefined
  const sections = sectionsOf(file)
  const notes = sections.find(({ name }) => name === '.note.stapsdt')
  const base = sections.find(({ name }) => name === '.stapsdt.base')
  if (notes === undefined || base === undefined) return []
  const found: ProbeNote[] = []
  for (let at = notes.offset; at < notes.offset + notes.size;) {
    const [nameSize, size, type] = [file.readUInt32LE(at), file.readUInt32LE(at + 4), file.readUInt32LE(at + 8)]
    const owner = file.toString('latin1', at + 12, at + 12 + nameSize)
    const content = at + 12 + padded(nameSize)
    at = content + padded(size)
    if (owner !== 'stapsdt\0' || type !== NT_STAPSDT) throw new Error(`a note of ${owner}, type ${type}`)
    const [location, noted, semaphore] = [0, 8, 16].map((skip) => Number(file.readBigUInt64LE(content + skip)))
    if (noted !== base.address) throw new Error(`a base of ${noted}, not ${base.address}`)
    const [provider, name, args] = file.toString('latin1', content + 24, content + size).split('\0')
    const code = offsetOf(sections, location)
    found.push({
      provider: provider,
      name: name,
      args: args.split(' '),
      instruction: file.toString('hex', code, code + 4),
      semaphore: semaphore === 0 ? undefined : file.readUInt16LE(offsetOf(sections, semaphore, '.probes')),
    })
  }
  return found
}

function padded(size: number): number {
  return (size + 3) & ~3
}

function sectionsOf(file: Buffer): Section[] {
  const table = Number(file.readBigUInt64LE(0x28))
  const [entrySize, count, names] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c), file.readUInt16LE(0x3e)]
  const word = (section: number, at: number): number => Number(file.readBigUInt64LE(table + section * entrySize + at))
  const texts = word(names, 0x18)
  return Array.from({ length: count }, (_, i) => {
    const name = texts + file.readUInt32LE(table + i * entrySize)
    return {
      name: file.toString('latin1', name, file.indexOf(0, name)),
      address: word(i, 0x10),
      offset: word(i, 0x18),
      size: word(i, 0x20),
      takesMemory: (word(i, 8) & SHF_ALLOC) !== 0 && file.readUInt32LE(table + i * entrySize + 4) !== SHT_NOBITS,
    }
  })
}

/** Where in the file is what has an address in memory. */
function offsetOf(sections: readonly Section[], address: number, name?: string): number {
  const section = sections.find((one) => one.takesMemory && address >= one.address && address < one.address + one.size)
  if (section === undefined || (name !== undefined && section.name !== name)) {
    throw new Error(`${address} lies in ${section?.name ?? 'no section'}`)
  }
  return section.offset + address - section.address
}
