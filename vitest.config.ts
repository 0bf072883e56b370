import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: {
      'mapsafe/eslint': fileURLToPath(new URL('src/eslint/index.ts', import.meta.url)),
      'mapsafe/dump': fileURLToPath(new URL('src/dump/index.ts', import.meta.url)),
      'mapsafe/inspect': fileURLToPath(new URL('src/inspect/index.ts', import.meta.url)),
      'mapsafe/keyv5': fileURLToPath(new URL('src/adapters/keyv5.ts', import.meta.url)),
      'mapsafe/keyv': fileURLToPath(new URL('src/adapters/keyv.ts', import.meta.url)),
      'mapsafe/express-session': fileURLToPath(new URL('src/adapters/express-session.ts', import.meta.url)),
      'mapsafe/rate-limit': fileURLToPath(new URL('src/adapters/rate-limit.ts', import.meta.url)),
      'mapsafe/next': fileURLToPath(new URL('src/adapters/next.ts', import.meta.url)),
      'mapsafe/undici': fileURLToPath(new URL('src/adapters/undici.ts', import.meta.url)),
      'mapsafe/unstorage': fileURLToPath(new URL('src/adapters/unstorage.ts', import.meta.url)),
      'mapsafe/log': fileURLToPath(new URL('src/observe/log.ts', import.meta.url)),
      'mapsafe/dashboard': fileURLToPath(new URL('src/dashboard/index.ts', import.meta.url)),
      mapsafe: fileURLToPath(new URL('src/index.ts', import.meta.url)),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/compile.ts', 'test/support/shared-folder.ts'],
    // Tests start worker threads of their own, so each test file gets a process.
    pool: 'forks',
    maxWorkers: 2,
    // What does not end is ended by a watchdog, which does not count the time that the machine gave to others.
    runner: 'test/support/runner.ts',
    testTimeout: 0,
    hookTimeout: 0,
  },
})
