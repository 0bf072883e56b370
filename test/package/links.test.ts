import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { brokenLinks, type Texts } from './links.js'

const root = new URL('../../', import.meta.url)
const exists = (path: string): boolean => existsSync(new URL(path, root))

/** Every page, and every source that a comment may be in. */
function readTexts(): Map<string, string> {
  const texts = new Map<string, string>()
  const read = (folder: string): void => {
    for (const entry of readdirSync(new URL(folder, root), { withFileTypes: true })) {
      const path = `${folder}${entry.name}`
      if (entry.isDirectory()) {
        if (!/^(\.git|node_modules|dist|build|out|prebuilds|coverage|test-results)$/.test(entry.name)) read(`${path}/`)
      } else if (/\.(md|ts|js|h|cc|pml)$/.test(entry.name) && path !== 'test/package/links.test.ts') {
        texts.set(path, readFileSync(new URL(path, root), 'utf8'))
      }
    }
  }
  read('')
  return texts
}

const texts = readTexts()

test('every link and every section named is there', () => {
  expect(texts.size).toBeGreaterThan(400)
  expect(brokenLinks(texts, exists)).toEqual([])
})

describe('a broken reference is found', () => {
  const plant = (path: string, line: string): Texts =>
    new Map([...texts, [path, `${texts.get(path) ?? ''}\n${line}\n`]])
  test.each([
    ['a page that is not there', 'README.md', '[gone](docs/gone.md)'],
    ['a heading that is not there', 'README.md', '[gone](CONTRIBUTING.md#gone)'],
    ['a heading of the same page', 'ARCHITECTURE.md', '[gone](#gone)'],
    ['a picture', 'README.md', '![gone](docs/gone.svg)'],
    ['a picture in HTML', 'README.md', '<img alt="gone" src="docs/gone.svg">'],
    ['a link out of a folder', 'docs/differences.md', '[gone](../gone.md)'],
    ['a source named on a page', 'CONTRIBUTING.md', 'See `src/gone.ts`.'],
    ['a page named in a comment', 'src/index.ts', '// See docs/gone.md.'],
    ['a section named in a comment', 'native/core/engine.h', '// See docs/internals/protocol.md, "Gone".'],
    ['a section named over two lines', 'src/index.ts', '/**\n * See docs/internals/protocol.md,\n * "Gone".\n */'],
    ['the second of two sections', 'src/index.ts', '// docs/internals/protocol.md, "Split" and "Gone"'],
  ])('%s', (_, path, line) => {
    expect(texts.has(path)).toBe(true)
    expect(brokenLinks(plant(path, line), exists)).toHaveLength(1)
  })
})
