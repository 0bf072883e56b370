// Draws docs/drawings from the sources (--write), or fails if a drawing is not current (--check): the storeys from the table of
// test/package/floor-plan.json, the region from src/format/layout.ts.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './tools.js'

const read = (path) => readFileSync(join(root, path), 'utf8')

/** A module without relative imports, as it is once compiled. */
const load = (path) => {
  const { outputText } = ts.transpileModule(read(path), { compilerOptions: { module: ts.ModuleKind.ESNext } })
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`)
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const text = (x, y, content, style = '') => `<text x="${x}" y="${y}" ${style}>${escape(content)}</text>`
const box = (x, y, width, height, fill) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${fill}" stroke="#555"/>`
const small = 'font-size="11" fill="#444"'
const centred = 'text-anchor="middle"'
const picture = (width, height, title, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13">
<title>${escape(title)}</title>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>
<rect width="${width}" height="${height}" fill="white"/>
${parts.join('\n')}
</svg>
`

/** Rooms in storeys, each above all that it may import. */
async function storeys() {
  const { rooms: ROOMS, nodeRooms: NODE_ROOMS } = JSON.parse(read('test/package/floor-plan.json'))
  const rooms = Object.keys(ROOMS)
  const floorOf = (room) => Math.max(-1, ...ROOMS[room].map(floorOf)) + 1
  const reaches = (from, to) => ROOMS[from].some((next) => next === to || reaches(next, to))
  const direct = (from) => ROOMS[from].filter((to) => !ROOMS[from].some((other) => reaches(other, to)))

  const floors = []
  for (const room of rooms) (floors[floorOf(room)] ??= []).push(room)
  const [width, rowHeight, boxWidth, boxHeight] = [900, 84, 150, 40]
  const height = floors.length * rowHeight + 44
  const places = new Map()
  floors.forEach((floor, level) =>
    floor.forEach((room, i) =>
      places.set(room, {
        x: ((i + 1) * width) / (floor.length + 1) - boxWidth / 2,
        y: (floors.length - 1 - level) * rowHeight + 20,
      }),
    ),
  )
  const parts = rooms.flatMap((room) =>
    direct(room).map((to) => {
      const [a, b] = [places.get(room), places.get(to)]
      return `<line x1="${a.x + boxWidth / 2}" y1="${a.y + boxHeight}" x2="${b.x + boxWidth / 2}" y2="${b.y}" stroke="#555" marker-end="url(#head)"/>`
    }),
  )
  for (const [room, { x, y }] of places) {
    parts.push(box(x, y, boxWidth, boxHeight, NODE_ROOMS.includes(room) ? '#fde9c8' : '#dce9f9'))
    parts.push(text(x + boxWidth / 2, y + 25, room, centred))
  }
  parts.push(
    text(
      20,
      height - 12,
      'Arrows: may import, and so all that is below it. Yellow: may use modules of Node.js.',
      small,
    ),
  )
  return picture(width, height, 'The rooms of src/ and what they may import', parts)
}

/** The region, and what lies in what, with the numbers of the layout. */
async function region() {
  const is = await load('src/format/layout.ts')
  const number = (value) => value.toLocaleString('en-US')
  const parts = []
  /** A row of fields, from left to right, with the label above. */
  const row = (y, label, fields) => {
    parts.push(text(20, y, label, 'font-weight="bold"'))
    const sum = fields.reduce((total, { weight }) => total + weight, 0)
    let x = 20
    for (const { name, note, weight, fill = '#dce9f9' } of fields) {
      const width = (weight / sum) * 820
      parts.push(box(x, y + 10, width, 46, fill), text(x + width / 2, y + 30, name, centred))
      parts.push(text(x + width / 2, y + 47, note, `${centred} ${small}`))
      x += width
    }
  }
  const registryBytes = is.REGISTRY_THREADS * is.THREAD_WORDS * 4
  row(24, 'Region: a SharedArrayBuffer or a mapped file', [
    { name: 'header', note: `${number(is.PAGE_BYTES)} bytes`, weight: 2 },
    {
      name: 'thread registry',
      note: `${is.REGISTRY_THREADS} records of ${number(is.THREAD_WORDS * 4)} bytes`,
      weight: 3,
    },
    { name: 'page table', note: `${is.PAGE_ENTRY_WORDS * 4} bytes a heap page`, weight: 3 },
    {
      name: 'heap',
      note: `pages of ${number(is.PAGE_BYTES)} bytes: spans of blocks of ${is.BLOCK_BYTES}, and runs`,
      weight: 7,
      fill: '#e3f2dd',
    },
  ])
  parts.push(
    text(
      20,
      98,
      `The heap begins at byte ${number(is.REGISTRY_BLOCK * is.BLOCK_BYTES + registryBytes)} plus the page table.`,
      small,
    ),
  )
  row(130, 'In the heap: the directory, one array', [
    { name: 'depth', note: `word ${is.DIRECTORY_DEPTH}`, weight: 2 },
    { name: 'previous', note: `word ${is.DIRECTORY_PREVIOUS}`, weight: 2 },
    {
      name: '2^depth references to segments',
      note: `from word ${is.DIRECTORY_ENTRIES} on; the top bits of a hash choose one`,
      weight: 9,
      fill: '#e3f2dd',
    },
  ])
  row(222, `A segment: ${number(is.SEGMENT_BYTES)} bytes`, [
    { name: 'mutex', note: `word ${is.SEGMENT_MUTEX}`, weight: 2 },
    { name: 'depth, prefix, counts', note: `from word ${is.SEGMENT_DEPTH} on`, weight: 3 },
    { name: `${is.HOME_BUCKETS} home buckets`, note: `from word ${is.SEGMENT_BUCKETS} on`, weight: 7, fill: '#e3f2dd' },
    { name: `${is.STASH_BUCKETS} of stash`, note: 'what spilled', weight: 2, fill: '#e3f2dd' },
  ])
  row(314, `A bucket: one cache line of ${is.BUCKET_WORDS} words`, [
    { name: 'version', note: `word ${is.BUCKET_VERSION}; odd: held`, weight: 3 },
    { name: 'epoch', note: `word ${is.BUCKET_EPOCH}`, weight: 2 },
    {
      name: `${is.SLOTS_PER_BUCKET} tags, overflow`,
      note: `words ${is.BUCKET_TAGS} to ${is.BUCKET_SLOTS - 1}`,
      weight: 3,
    },
    {
      name: `${is.SLOTS_PER_BUCKET} references to entries`,
      note: `words ${is.BUCKET_SLOTS} to ${is.BUCKET_WORDS - 1}`,
      weight: 7,
      fill: '#e3f2dd',
    },
  ])
  row(406, `An entry: a header of ${is.ENTRY_HEADER_BYTES} bytes, key and value`, [
    { name: 'hash', note: `word ${is.ENTRY_HASH}`, weight: 2 },
    { name: 'kinds, lengths', note: `words ${is.ENTRY_META}, ${is.ENTRY_VALUE_LENGTH}`, weight: 3 },
    { name: 'version', note: `words ${is.ENTRY_VERSION}, ${is.ENTRY_VERSION + 1}`, weight: 2 },
    { name: 'node', note: `word ${is.ENTRY_NODE}`, weight: 2 },
    { name: 'key, value, expiry', note: `from word ${is.ENTRY_DATA} on`, weight: 6, fill: '#e3f2dd' },
  ])
  return picture(860, 480, 'What lies where in a region', parts)
}

const drawings = { 'storeys.svg': await storeys(), 'region.svg': await region() }
const mode = process.argv[2]
if (mode !== '--write' && mode !== '--check') throw new Error('usage: drawings.js --write | --check')
mkdirSync(join(root, 'docs/drawings'), { recursive: true })
for (const [name, drawn] of Object.entries(drawings)) {
  const path = `docs/drawings/${name}`
  if (mode === '--write') writeFileSync(join(root, path), drawn)
  else if (!existsSync(join(root, path)) || read(path) !== drawn) {
    console.error(`${path} is not current: npm run drawings`)
    process.exitCode = 1
  }
}
