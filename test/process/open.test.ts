import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:buffer'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, MapsafeError, type ConcurrentMapOptions } from '../../src/index.js'
import {
  HEADER_BLOCK_COUNT,
  HEADER_BYTE_ORDER,
  HEADER_FEATURES,
  HEADER_FORMAT_VERSION,
  HEADER_STATE,
} from '../../src/format/layout.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'

const MIB = 2 ** 20

let scratch: Scratch
beforeEach(() => {
  scratch = new Scratch()
})
afterEach(() => {
  scratch[Symbol.dispose]()
})

/** A file with a map that holds one entry. */
function makeFile(path = scratch.file()): string {
  using map = new ConcurrentMap<string, number>({ file: path, maxBytes: MIB })
  map.set('key', 1)
  return path
}

function refusalOf(action: () => unknown): MapsafeError {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(MapsafeError)
    return error as MapsafeError
  }
  return expect.fail('nothing was thrown')
}

describe.each(lineups)('a map in a file ($name)', (lineup) => {
  const open = (options: ConcurrentMapOptions): ConcurrentMap<string, number> =>
    new ConcurrentMap({ ...options, engine: lineup.engineOf(1) })

  test('is made if it is not there, and found by all who open it later', () => {
    const path = scratch.file()
    using first = new ConcurrentMap<string, number>({ file: path, maxBytes: MIB, engine: lineup.engineOf(0) })
    using second = open({ file: path })
    first.set('key', 1)
    expect(second.get('key')).toBe(1)
    expect(second.increment('key')).toBe(2)
    expect(first.get('key')).toBe(2)
    expect(second.stats().bytesTotal).toBe(MIB)
    expect(second.stats().file).toBe(path)
    expect(second.verify().problems).toEqual([])
  })

  test('keeps its entries when nobody has it open', () => {
    const path = makeFile()
    using map = open({ file: path })
    expect([...map]).toEqual([['key', 1]])
    expect(map.stats().threads).toHaveLength(1)
  })

  test('is opened through its handle, even as JSON', () => {
    using map = new ConcurrentMap<string, number>({ file: scratch.file(), maxBytes: MIB, engine: lineup.engineOf(0) })
    expect(Object.getPrototypeOf(map.handle)).toBe(Object.prototype)
    for (const handle of [structuredClone(map.handle), JSON.parse(JSON.stringify(map.handle)) as typeof map.handle]) {
      using attached = ConcurrentMap.attach<string, number>(handle, { engine: lineup.engineOf(1) })
      attached.increment('key')
      expect(attached.handle).toEqual(map.handle)
    }
    expect(map.get('key')).toBe(2)
  })

  test('is the same by a relative path and through a symbolic link', () => {
    const path = makeFile()
    const link = scratch.file('link')
    symlinkSync(path, link)
    for (const name of [relative(process.cwd(), path), link]) {
      using map = open({ file: name })
      expect(map.get('key')).toBe(1)
      expect(map.handle.file).toBe(realpathSync(path))
    }
  })

  test('an empty one is full only when its memory is', () => {
    using map = open({ file: scratch.file(), maxBytes: MIB })
    const error = refusalOf(() => {
      for (let i = 0; ; i++) map.set(`key ${i}`, i)
    })
    expect(error.code).toBe('ERR_MAPSAFE_FULL')
    expect(map.size).toBeGreaterThan(5000)
    expect(map.verify().problems).toEqual([])
  })
})

describe('the file', () => {
  test('is for its owner alone, has the size asked for, all of it allocated, and no other file is left', () => {
    const path = scratch.file()
    new ConcurrentMap({ file: path, maxBytes: 3 * MIB + 5000 }).close()
    const { mode, size, blocks } = statSync(path)
    expect(mode & 0o777).toBe(0o600)
    expect(size).toBe(3 * MIB + 4096)
    expect(blocks * 512).toBeGreaterThanOrEqual(size)
    expect(readdirSync(scratch.path)).toEqual([basename(path)])
  })

  test('has 64 MiB if nothing else is asked for', () => {
    const path = scratch.file()
    new ConcurrentMap({ file: path }).close()
    expect(statSync(path).size).toBe(64 * MIB)
  })

  test('has a size that cannot be changed', () => {
    const path = makeFile()
    const error = refusalOf(() => new ConcurrentMap({ file: path, maxBytes: 2 * MIB }))
    expect(error.code).toBe('ERR_MAPSAFE_OPTIONS')
    expect(error.message).toContain('2097152')
    expect(error.message).toContain('1048576')
    using map = new ConcurrentMap<string, number>({ file: path, maxBytes: MIB + 1 })
    expect(map.get('key')).toBe(1)
  })

  test('can be deleted while it is open, and another one be made in its place', () => {
    const path = makeFile()
    using old = new ConcurrentMap<string, number>({ file: path })
    execFileSync('rm', [path])
    using map = new ConcurrentMap<string, number>({ file: path, maxBytes: 2 * MIB })
    expect(map.size).toBe(0)
    map.set('key', 3)
    expect(old.get('key')).toBe(1)
  })

  test('is not attached to if it is not there, nor made', () => {
    const path = scratch.file()
    const error = refusalOf(() => ConcurrentMap.attach({ kind: 'mapsafe.map', file: path }))
    expect(error.code).toBe('ERR_MAPSAFE_FILE')
    expect(error.message).toContain(path)
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
    expect(existsSync(path)).toBe(false)
  })

  test.runIf(constants.MAX_LENGTH < 5 * 2 ** 30)('is refused if this Node.js cannot map as much', () => {
    const path = scratch.file()
    const error = refusalOf(() => new ConcurrentMap({ file: path, maxBytes: 5 * 2 ** 30 }))
    expect(error.code).toBe('ERR_MAPSAFE_OPTIONS')
    expect(error.message).toContain('Node.js 22')
    expect(readdirSync(scratch.path)).toEqual([])
  })
})

describe('a cache in a file', () => {
  test('keeps its settings and its entries, which go on ageing', async () => {
    const path = scratch.file()
    {
      using cache = new ConcurrentCache<string, number>({ file: path, maxBytes: MIB, ttl: 60_000 })
      cache.set('key', 1).set('short', 2, { expiresAt: Date.now() + 20 })
    }
    await sleep(100)
    using cache = new ConcurrentCache<string, number>({ file: path })
    expect(cache.get('key')).toBe(1)
    expect(cache.get('short')).toBeUndefined()
    expect(cache.set('other', 3).getEntry('other')!.expiresAt! - Date.now()).toBeGreaterThan(50_000)
    using attached = ConcurrentCache.attach<string, number>(cache.handle, { engine: 'typescript' })
    expect(attached.get('key')).toBe(1)
  })

  test('is no map, nor a map a cache', () => {
    const [map, cache] = [makeFile(), scratch.file()]
    new ConcurrentCache({ file: cache, maxBytes: MIB }).close()
    expect(refusalOf(() => new ConcurrentCache({ file: map })).code).toBe('ERR_MAPSAFE_FORMAT')
    expect(refusalOf(() => new ConcurrentMap({ file: cache })).code).toBe('ERR_MAPSAFE_FORMAT')
  })
})

test.each([
  ['a number', 7],
  ['nothing', ''],
  ['a null character', 'a\0b'],
  ['a URL', new URL('file:///tmp/x')],
])('a path that is %s is refused', (_, file) => {
  const error = refusalOf(() => new ConcurrentMap({ file: file as string }))
  expect(error).toBeInstanceOf(TypeError)
  expect(error.code).toBe('ERR_MAPSAFE_OPTIONS')
})

test.each([[{ file: 7 }], [{ file: 'relative.map' }], [{}], [{ region: new ArrayBuffer(8) }]])(
  'a handle with %o is refused',
  (rest) => {
    const error = refusalOf(() => ConcurrentMap.attach({ kind: 'mapsafe.map', ...rest } as never))
    expect(error.code).toBe('ERR_MAPSAFE_OPTIONS')
  },
)

/** The file's words, changed. */
function edit(path: string, change: (words: Int32Array) => void): void {
  const bytes = readFileSync(path)
  change(new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))
  writeFileSync(path, bytes)
}

describe('what is no map is refused, and stays as it is', () => {
  test.each<[string, string, (path: string) => void]>([
    ['an empty file', 'it is empty', (path) => writeFileSync(path, '')],
    ['a short text', 'magic number', (path) => writeFileSync(path, 'a text that somebody needs')],
    ['a long text', 'magic number', (path) => writeFileSync(path, 'a text that somebody needs\n'.repeat(MIB / 16))],
    ['zeros', 'magic number', (path) => writeFileSync(path, new Uint8Array(MIB))],
    ['a truncated map', 'it was cut off', (path) => truncateSync(makeFile(path), MIB / 2)],
    ['a map cut off after its header', 'it was cut off', (path) => truncateSync(makeFile(path), 64)],
    ['a map with something behind it', 'was formatted for 1048576', (path) => truncateSync(makeFile(path), 2 * MIB)],
    [
      'another format version',
      'format version is 99, expected 2: a later version of mapsafe made it',
      (path) => edit(makeFile(path), (words) => (words[HEADER_FORMAT_VERSION] = 99)),
    ],
    [
      'the format version before this one',
      'format version is 1, expected 2: an earlier version of mapsafe made it. To carry its entries over, read them with that version',
      (path) => edit(makeFile(path), (words) => (words[HEADER_FORMAT_VERSION] = 1)),
    ],
    [
      'features of a later version',
      'does not have (0x80000000)',
      (path) => edit(makeFile(path), (words) => (words[HEADER_FEATURES] = 0x80000001 | 0)),
    ],
    [
      'another byte order',
      'byte order',
      (path) => {
        const swapped = readFileSync(makeFile(path)).swap32()
        writeFileSync(path, swapped)
      },
    ],
    [
      'a byte order of its own',
      'contradicts itself',
      (path) => edit(makeFile(path), (words) => (words[HEADER_BYTE_ORDER] = 5)),
    ],
    [
      'a map that was never finished',
      'never completely formatted',
      (path) => edit(makeFile(path), (words) => (words[HEADER_STATE] = 0)),
    ],
    [
      'a header that names a size no map can have',
      'none a region can have',
      (path) => {
        edit(makeFile(path), (words) => (words[HEADER_BLOCK_COUNT] = 4096 / 16))
        truncateSync(path, 4096)
      },
    ],
  ])('%s: %s', (_, reason, make) => {
    const path = scratch.file()
    make(path)
    const before = readFileSync(path)
    for (const action of [
      () => new ConcurrentMap({ file: path }),
      () => new ConcurrentMap({ file: path, engine: 'typescript', maxBytes: MIB }),
      () => ConcurrentMap.attach({ kind: 'mapsafe.map', file: path }),
    ]) {
      const error = refusalOf(action)
      expect(error.code).toBe('ERR_MAPSAFE_FORMAT')
      expect(error.message).toContain(reason)
      expect(error.message).toContain(path)
    }
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(scratch.path)).toEqual([basename(path)])
  })
})

describe('what the system refuses is an error with its reason', () => {
  test.each<[string, string, () => string]>([
    ['a directory', 'EISDIR', () => scratch.path],
    ['a missing directory', 'ENOENT', () => scratch.file('missing/x.map')],
    ['a file in place of a directory', 'ENOTDIR', () => join(makeFile(), 'x.map')],
    ['a name that is too long', 'ENAMETOOLONG', () => scratch.file('x'.repeat(300))],
    [
      'a symbolic link that leads nowhere',
      'EEXIST',
      () => {
        const link = scratch.file('link')
        symlinkSync(scratch.file('nowhere'), link)
        return link
      },
    ],
    [
      'a named pipe',
      'it is no file',
      () => {
        const pipe = scratch.file('pipe')
        execFileSync('mkfifo', [pipe])
        return pipe
      },
    ],
    ['a device', 'it is no file', () => '/dev/null'],
    ...(process.platform === 'linux'
      ? ([['a file that gives an error when it is read', 'EIO', () => '/proc/self/mem']] as [
          [string, string, () => string],
        ])
      : []),
  ])('%s: %s', (_, reason, path) => {
    const name = path()
    const before = readdirSync(scratch.path)
    const error = refusalOf(() => new ConcurrentMap({ file: name }))
    expect(error.code).toBe('ERR_MAPSAFE_FILE')
    expect(error.message).toContain(reason)
    expect(error.message).toContain(name)
    expect(readdirSync(scratch.path)).toEqual(before)
  })

  test('a relative path in a working directory that was deleted: ENOENT', () => {
    const before = process.cwd()
    const gone = scratch.file('gone')
    mkdirSync(gone)
    process.chdir(gone)
    try {
      rmdirSync(gone)
      const error = refusalOf(() => new ConcurrentMap({ file: 'x.map' }))
      expect(error.code).toBe('ERR_MAPSAFE_FILE')
      expect(error.cause).toMatchObject({ code: 'ENOENT' })
    } finally {
      process.chdir(before)
    }
  })

  describe('permission', () => {
    // The superuser may do everything, so as such these tests become nobody for a moment.
    const isRoot = process.geteuid?.() === 0
    const NOBODY = 65534
    beforeEach(() => {
      if (isRoot) process.seteuid!(NOBODY)
    })
    afterEach(() => {
      if (isRoot) process.seteuid!(0)
    })

    test('to the file', () => {
      using own = new Scratch()
      const path = makeFile(own.file())
      chmodSync(path, 0o400)
      const error = refusalOf(() => new ConcurrentMap({ file: path }))
      expect(error.code).toBe('ERR_MAPSAFE_FILE')
      expect(error.message).toContain('EACCES')
      chmodSync(path, 0o600)
      using map = new ConcurrentMap<string, number>({ file: path })
      expect(map.get('key')).toBe(1)
    })

    test('to its directory', () => {
      using own = new Scratch()
      chmodSync(own.path, 0o500)
      const error = refusalOf(() => new ConcurrentMap({ file: own.file() }))
      expect(error.code).toBe('ERR_MAPSAFE_FILE')
      expect(error.message).toContain('EACCES')
      chmodSync(own.path, 0o700)
      expect(readdirSync(own.path)).toEqual([])
    })
  })
})

describe('other files of the directory', () => {
  test('are left alone, whatever their names', () => {
    const path = scratch.file()
    const others = [`${path}.mapsafe-new`, `${path}.new`, scratch.file('.mapsafe-0123456789abcdef0123456789abcdef')]
    for (const other of others) writeFileSync(other, 'needed')
    using map = new ConcurrentMap<string, number>({ file: path, maxBytes: MIB })
    expect(map.size).toBe(0)
    for (const other of others) expect(readFileSync(other, 'utf8')).toBe('needed')
    expect(readdirSync(scratch.path)).toHaveLength(others.length + 1)
  })

  test.each([243, 255])('nor is a name of %i bytes too long to be made', (length) => {
    const path = scratch.file('x'.repeat(length))
    new ConcurrentMap<string, number>({ file: path, maxBytes: MIB }).close()
    using map = new ConcurrentMap<string, number>({ file: path })
    expect(map.size).toBe(0)
  })
})

describe('a file that others may write', () => {
  const STRANGER = 65534
  const isRoot = process.geteuid?.() === 0

  test.each([0o660, 0o606, 0o666])('is refused for its mode %o', (mode) => {
    const path = makeFile()
    chmodSync(path, mode)
    const error = refusalOf(() => new ConcurrentMap({ file: path }))
    expect(error.code).toBe('ERR_MAPSAFE_FILE')
    expect(error.message).toContain(`0${mode.toString(8)}`)
    expect(error.message).toContain('trustFile')
    expect(refusalOf(() => ConcurrentMap.attach({ kind: 'mapsafe.map', file: path })).code).toBe('ERR_MAPSAFE_FILE')
    using map = new ConcurrentMap<string, number>({ file: path, trustFile: true })
    using attached = ConcurrentMap.attach<string, number>(map.handle, { trustFile: true })
    expect(attached.get('key')).toBe(1)
  })

  test('is refused for its owner, also by the superuser', (context) => {
    if (!isRoot) return context.skip('only the superuser can give a file away')
    const path = makeFile()
    chownSync(path, STRANGER, STRANGER)
    const error = refusalOf(() => new ConcurrentMap({ file: path }))
    expect(error.code).toBe('ERR_MAPSAFE_FILE')
    expect(error.message).toContain(`user ${STRANGER}`)
    using map = new ConcurrentMap<string, number>({ file: path, trustFile: true })
    expect(map.get('key')).toBe(1)
  })

  test('is judged by what a symbolic link leads to', () => {
    const path = makeFile()
    const link = scratch.file('link')
    symlinkSync(path, link)
    new ConcurrentMap({ file: link }).close()
    chmodSync(path, 0o666)
    expect(refusalOf(() => new ConcurrentMap({ file: link })).code).toBe('ERR_MAPSAFE_FILE')
  })
})

/** Mounts 2 MiB of memory as a disk; undefined where this user may not. */
function mountSmallDisk(): string | undefined {
  const path = join(tmpdir(), `mapsafe-small-disk-${process.pid}`)
  mkdirSync(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' })
    return path
  } catch {
    execFileSync('rmdir', [path])
    return undefined
  }
}

test('a full disk is found out before anything is mapped, and leaves nothing behind', (context) => {
  const disk = mountSmallDisk()
  if (disk === undefined) {
    context.skip('this user may not mount a small disk')
    return
  }
  try {
    const path = join(disk, 'full.map')
    const error = refusalOf(() => new ConcurrentMap({ file: path, maxBytes: 4 * MIB }))
    expect(error.code).toBe('ERR_MAPSAFE_FILE')
    expect(error.message).toContain('ENOSPC')
    expect(error.message).toContain('maxBytes')
    expect(readdirSync(disk)).toEqual([])

    // A map that was made has all its memory: when the disk fills up, nothing happens to it.
    using map = new ConcurrentMap<string, string>({ file: path, maxBytes: MIB })
    expect(() => writeFileSync(join(disk, 'filler'), new Uint8Array(2 * MIB))).toThrow('ENOSPC')
    const full = refusalOf(() => {
      for (let i = 0; ; i++) map.set(`key ${i}`, 'x'.repeat(1000))
    })
    expect(full.code).toBe('ERR_MAPSAFE_FULL')
    expect(map.stats().bytesFree).toBeLessThan(MIB / 16)
    expect(map.verify().problems).toEqual([])
  } finally {
    execFileSync('umount', ['--lazy', disk])
    execFileSync('rmdir', [disk])
  }
})
