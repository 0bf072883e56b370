import { defineConfig } from 'tsdown'

/** What package.json names as `bin`: it exports nothing. */
const program = { cli: 'src/cli/index.ts' }

// One bundle per module system. Constants of the format are inlined: functions read them by the dozen. tsdown stays at
// 0.20, the last one whose command does not warn about Node 20.
export default defineConfig({
  entry: {
    ...program,
    index: 'src/index.ts',
    inspect: 'src/inspect/index.ts',
    dump: 'src/dump/index.ts',
    eslint: 'src/eslint/index.ts',
    keyv: 'src/adapters/keyv.ts',
    keyv5: 'src/adapters/keyv5.ts',
    'express-session': 'src/adapters/express-session.ts',
    'rate-limit': 'src/adapters/rate-limit.ts',
    next: 'src/adapters/next.ts',
    undici: 'src/adapters/undici.ts',
    unstorage: 'src/adapters/unstorage.ts',
    log: 'src/observe/log.ts',
    metrics: 'src/observe/metrics/handler.ts',
    prometheus: 'src/observe/metrics/prometheus.ts',
    dashboard: 'src/dashboard/index.ts',
  },
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  dts: true,
  sourcemap: true,
  // What browsers load of the dashboard is not bundled.
  copy: [
    { from: ['src/dashboard/page/*', 'node_modules/uplot/dist/uPlot.{iife.min.js,min.css}'], to: 'dist/page' },
    { from: 'node_modules/uplot/LICENSE', to: 'dist/page', rename: 'uPlot.LICENSE' },
  ],
  clean: true,
  // It warns of every CommonJS bundle, and where CI is set fails for a warning.
  failOnWarn: false,
  inputOptions: { optimization: { inlineConst: true } },
})
