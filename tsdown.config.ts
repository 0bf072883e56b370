import { defineConfig } from 'tsdown'

// One bundle per module system.
export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  dts: true,
  sourcemap: true,
  clean: true,
  // So that who installs the package gets no dependency of it, above all none with an install script.
  deps: { alwaysBundle: [/^msgpackr/] },
})
