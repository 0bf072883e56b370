import { defineConfig } from 'tsdown'

// One bundle per module system. The TypeScript sources stay free of either: `shims` gives CommonJS its `import.meta.url`.
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  dts: true,
  sourcemap: true,
  shims: true,
  clean: true,
})
