/**
 * What pages and comments refer to is there: files and headings that a page links to, and sections that a comment
 * names, as in `docs/internals/protocol.md, "Split"`. Links to other hosts are not followed.
 */
import { posix } from 'node:path'

/** A text by its path from the root of the package. */
export type Texts = ReadonlyMap<string, string>

const LINK = /(?<!!)\[(?:[^\][]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+"[^"]*")?\)/g
const IMAGE = /!\[[^\]]*\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g
const HTML = /<(?:img|a)\b[^>]*?\b(?:src|href)="([^"]+)"/g
/** A source named on a page. Decisions name those of their day. */
const SOURCE = /(?<![\w./-])(?:src|native|test|scripts|bench|demo|examples)\/[\w./-]+\.(?:ts|js|h|cc|pml)\b/g
const HISTORY = /^(docs\/decisions\/2|CHANGELOG)/

/** A page named in running text, and the sections named behind it. */
const CITATION =
  /(?<![\w./-])((?:docs|test|native|bench)\/[\w./-]+\.md|[A-Z]+\.md)\b(?:\s*,\s*((?:"[^"]+"(?:\s*(?:,|and|or)\s*)?)+))?/g

/**
 * Every reference to what is not there, one line each.
 *
 * @param exists whether there is a file or folder of this path
 */
export function brokenLinks(texts: Texts, exists: (path: string) => boolean): string[] {
  const problems: string[] = []
  const headings = new Map<string, Headings>()
  const headingsOf = (page: string): Headings => {
    let found = headings.get(page)
    if (found === undefined) headings.set(page, (found = readHeadings(texts.get(page) ?? '')))
    return found
  }
  for (const [file, text] of texts) {
    if (file.endsWith('.md')) {
      for (const target of linksOf(text)) {
        const [path, anchor] = target.split('#') as [string, string | undefined]
        const full = path === '' ? file : posix.join(posix.dirname(file), decodeURI(path))
        if (!exists(full)) problems.push(`${file} links to ${target}: there is no ${full}`)
        else if (anchor !== undefined && full.endsWith('.md') && !headingsOf(full).anchors.has(anchor)) {
          problems.push(`${file} links to ${target}: ${full} has no such heading`)
        }
      }
      if (!HISTORY.test(file)) {
        for (const [source] of text.matchAll(SOURCE)) {
          if (!exists(source)) problems.push(`${file} names ${source}, which is not there`)
        }
      }
    }
    for (const [page, sections] of citationsOf(file, text)) {
      if (!exists(page)) problems.push(`${file} names ${page}, which is not there`)
      else
        for (const section of sections) {
          if (!headingsOf(page).titles.has(section)) problems.push(`${file} names "${section}", no heading of ${page}`)
        }
    }
  }
  return problems
}

function linksOf(text: string): string[] {
  const prose = withoutCode(text)
  return [LINK, IMAGE, HTML]
    .flatMap((pattern) => Array.from(prose.matchAll(pattern), ([, target]) => target))
    .filter((target) => !/^[a-z]+:/.test(target))
}

/** Comments wrap: what is on two lines is joined first, without the marks of the comment. */
function* citationsOf(file: string, text: string): Iterable<[string, string[]]> {
  const joined = (file.endsWith('.md') ? withoutCode(text).replace(/\]\([^)]*\)/g, ']') : text).replace(
    /\n[ \t]*(?:\/\/|\*(?!\/)|#)?[ \t]*/g,
    ' ',
  )
  for (const [, page, list] of joined.matchAll(CITATION) as Iterable<[string, string, string | undefined]>) {
    yield [page, Array.from((list ?? '').matchAll(/"([^"]+)"/g), ([, title]) => title.replace(/[,.]$/, ''))]
  }
}

interface Headings {
  readonly titles: ReadonlySet<string>
  readonly anchors: ReadonlySet<string>
}

/** Anchors as GitHub makes them. */
function readHeadings(text: string): Headings {
  const titles = new Set<string>()
  const anchors = new Set<string>()
  const times = new Map<string, number>()
  for (const [, heading] of withoutCodeBlocks(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const title = heading.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const before = times.get(slug) ?? 0
    times.set(slug, before + 1)
    titles.add(title)
    anchors.add(before === 0 ? slug : `${slug}-${before}`)
  }
  for (const [, name] of text.matchAll(/<a (?:id|name)="([^"]+)">/g)) anchors.add(name)
  return { titles, anchors }
}

function withoutCodeBlocks(text: string): string {
  return text.replace(/^(```+|~~~+)[^\n]*\n[\s\S]*?^\1\s*$/gm, '')
}

function withoutCode(text: string): string {
  return withoutCodeBlocks(text).replace(/`[^`\n]*`/g, '`')
}
