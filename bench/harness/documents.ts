import { valueOf } from './data.js'

/** Values as services keep them, for codecs by themselves, by name. */
export const DOCUMENTS: Readonly<Record<string, () => object>> = {
  'flat object': () => valueOf('flat', 7, 0) as object,
  session: () => valueOf('session', 7, 0) as object,
  'row with two dates': () => valueOf('row', 7, 0) as object,
  '50 flat objects': () => Array.from({ length: 50 }, (_, n) => valueOf('flat', n, 0)),
  '50 rows with dates': () => Array.from({ length: 50 }, (_, n) => valueOf('row', n, 0)),
  '40 objects of 16 shapes': () => Array.from({ length: 40 }, (_, n) => withOptional(n)),
  'document of 10 KiB': () => ({
    title: 'a page with sections',
    sections: Array.from({ length: 12 }, (_, n) => ({
      heading: `section ${n}`,
      text: 'A sentence that says nothing at all. '.repeat(20),
      links: [`/pages/${n}`, `/pages/${n + 1}`],
    })),
  }),
  '1,000 integers': () => Array.from({ length: 1000 }, (_, n) => n * 37),
  'object with a Map of two': () => ({
    counts: new Map([
      ['a', 1],
      ['b', 2],
    ]),
  }),
}

/** Objects that lack some of their properties, each in the order of all. */
const withOptional = (n: number): object => ({
  id: n,
  ...(n & 1 ? { nick: 'a nickname' } : {}),
  ...(n & 2 ? { phone: '0123456' } : {}),
  ...(n & 4 ? { born: 1990 } : {}),
  ...(n & 8 ? { notes: ['one'] } : {}),
  active: true,
})
