import js from '@eslint/js'
import { readFileSync } from 'node:fs'
import { tsImport } from 'tsx/esm/api'
import tseslint from 'typescript-eslint'

/** The rules for users of the package, from their sources: nothing has to be built first. */
const { default: mapsafe } = await tsImport('./src/eslint/index.ts', import.meta.url)

/** The floor plan; test/package/layers.ts has the rest of its rules. */
const plan = JSON.parse(readFileSync(new URL('test/package/floor-plan.json', import.meta.url), 'utf8'))

/** What `files` of a room may not import: every other room but those listed. */
function layer(room, files, mayImport) {
  const forbidden = Object.keys(plan.rooms).filter((other) => other !== room && !mayImport.includes(other))
  const patterns = forbidden.map((other) => ({
    regex: `^(\\.\\./)${room.includes('/') ? '{2,}' : '+'}${other}/${other === 'engine' ? '(?!typescript/)' : ''}`,
    message: `src/${room} may import ${mayImport.join(', ') || 'nothing'} (test/package/floor-plan.json).`,
  }))
  const isNode = plan.nodeRooms.includes(room)
  const message = `Only ${plan.nodeRooms.join(' and ')} name Node.js: take it from src/platform.`
  if (!isNode) patterns.push({ regex: '^node:', message })
  if (forbidden.includes('engine/typescript'))
    patterns.push({ regex: '^\\./typescript/', message: 'Only open.ts knows both engines.' })
  const globals = isNode ? [] : plan.nodeGlobals.map((name) => ({ name, message }))
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns }], 'no-restricted-globals': ['error', ...globals] },
  }
}

const { file: composition, mayImport: engines } = plan.composition
const layers = [
  ...Object.entries(plan.rooms).map(([room, below]) => layer(room, [`src/${room}/**/*.ts`], below)),
  layer('engine', [composition], [...plan.rooms.engine, ...engines]),
]

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'out/', 'prebuilds/', 'coverage/', 'test/types/cases/'] },
  js.configs.recommended,
  mapsafe.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Typed arrays and shared words are read by index everywhere; `!` there says "in bounds by the format".
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `while (true)` with a bounded wait inside is the shape of every retry loop of the protocol.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  ...layers,
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "BinaryExpression[operator='instanceof'][right.name=/^(Object|Function|Array|Date|Map|Set|RegExp|Promise|Weak\\w+|\\w*Registry|SharedArrayBuffer|Uint8Array|\\w*(?<!Mapsafe)(?<!MapsafeType)(?<!MapsafeRange)Error)$/]",
          message:
            'Objects of another realm (of Jest, of node:vm, of Node.js itself within Jest) are no instances; see src/platform/brands.ts.',
        },
      ],
    },
  },
  {
    files: ['src/eslint/**/*.ts'],
    // A node's type is an enumeration in declarations alone: no code of another package runs with the plugin.
    rules: { '@typescript-eslint/no-unsafe-enum-comparison': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // Tests hand over what the types forbid, on purpose.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      // Tests of types name methods without calling them.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  {
    // What runs in browsers.
    files: ['src/dashboard/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'document',
          'location',
          'history',
          'sessionStorage',
          'matchMedia',
          'getComputedStyle',
          'fetch',
          'setTimeout',
          'clearTimeout',
          'AbortController',
          'TextDecoderStream',
          'ResizeObserver',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
)
