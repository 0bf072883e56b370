import { MapsafeError } from '../base/errors.js'
import { readPackageFile } from '../platform/package.js'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  /** Reads it; O(1) from the second call on. */
  text(): string
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const NAMES = [
  'index.html',
  'style.css',
  'panels.css',
  'icon.svg',
  'page.js',
  'stream.js',
  'history.js',
  'charts.js',
  'panels.js',
  'health.js',
  'words.js',
  'uPlot.iife.min.js',
  'uPlot.min.css',
]

/**
 * The files of the page by what a request names behind the page's path. No path is ever made of what a request says. They are
 * read when first asked for, and kept.
 */
export const FILES: ReadonlyMap<string, PageFile> = new Map(
  NAMES.map((name) => [name === 'index.html' ? '' : name, fileOf(name)]),
)

function fileOf(name: string): PageFile {
  let kept: string | undefined
  return {
    type: TYPES[name.slice(name.lastIndexOf('.') + 1)],
    text: () => (kept ??= read(name)),
  }
}

function read(name: string): string {
  try {
    return readPackageFile(`dist/page/${name}`)
  } catch (cause) {
    throw new MapsafeError(
      'ERR_MAPSAFE_FILE',
      `The page's file ${name} cannot be read; expected it in dist/page of the package. Leave mapsafe out of what a bundler bundles.`,
      { cause },
    )
  }
}
