import { closeSync, existsSync, openSync, readSync, unlinkSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { loadLines } from '../../dump/index.js'
import { bytesOf, CANNOT_OPEN, Failure, FINE, PROBLEMS, type Command } from '../command.js'
import { link } from './dump.js'

const CHUNK_BYTES = 2 ** 16
const PAUSE_MS = 5
const sleeper = new Int32Array(new SharedArrayBuffer(4))

export const load: Command = {
  name: 'load',
  operands: ['NEW_FILE', '[DUMP]'],
  summary: 'makes a map file of the lines that dump wrote',
  options: {
    'max-bytes': {
      type: 'string',
      value: 'BYTES',
      help: 'size of the new map, like 64m. Default: that of the one that was dumped',
    },
  },
  run(given, output) {
    const [file, source] = given.operands as [string, string | undefined]
    const size = given.options['max-bytes']
    const maxBytes = typeof size === 'string' ? bytesOf(size, 'Option --max-bytes') : undefined
    if (existsSync(file)) throw new Failure(`Cannot load into ${file}: it exists. Load into a new file.`, CANNOT_OPEN)
    const input = open(source)
    // It gets its name when all of the dump is in it.
    const partial = `${file}.${process.pid}.part`
    try {
      const { map, entries, expired, evicted } = loadLines(linesOf(input), { file: partial, maxBytes })
      map.close()
      link(partial, file)
      const lost = evicted === 0 ? '' : `; there was no room for ${evicted} of them`
      if (output.isJson) output.json({ file, entries, expired, evicted })
      else output.line(`${entries} entries, and ${expired} that had expired${lost}.`)
      return evicted === 0 ? FINE : PROBLEMS
    } finally {
      if (existsSync(partial)) unlinkSync(partial)
      if (input !== 0) closeSync(input)
    }
  },
}

function open(path: string | undefined): number {
  if (path === undefined || path === '-') return 0
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw new Failure(`Cannot open ${path}: ${(error as Error).message}.`, CANNOT_OPEN)
  }
}

/** Yields the lines of a file; a last one without an end, too. */
function* linesOf(descriptor: number): Iterable<string> {
  const decoder = new StringDecoder('utf8')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let rest: string[] = []
  for (let length = read(descriptor, chunk); length > 0; length = read(descriptor, chunk)) {
    const [first, ...more] = decoder.write(chunk.subarray(0, length)).split('\n')
    rest.push(first)
    for (const line of more) {
      yield rest.join('')
      rest = [line]
    }
  }
  const last = rest.join('') + decoder.end()
  if (last !== '') yield last
}

function read(descriptor: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'EOF') return 0
      if (code !== 'EAGAIN') throw new Failure(`Cannot read the dump: ${message}.`, CANNOT_OPEN)
      Atomics.wait(sleeper, 0, 0, PAUSE_MS)
    }
  }
}
