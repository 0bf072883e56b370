import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SharedMemory } from './shared-memory.js'

/** A directory for the files of a test. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'mapsafe-test-'))
  private files = 0

  /** Path of a file that is not there yet. */
  file(name = `${this.files++}.map`): string {
    return join(this.path, name)
  }

  memory(bytes: number): SharedMemory {
    const path = this.file(`${this.files++}.memory`)
    writeFileSync(path, new Uint8Array(bytes))
    return { path }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}
