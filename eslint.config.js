import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { importDirection } from './.ci/lint/import-direction.mjs';

const levitate = { rules: { 'import-direction': importDirection } };
const product = ['src/**/*.ts', 'syscalls/**/*.ts', 'fs/**/*.ts', 'sched/**/*.ts'];
const kernel = ['src/mm/**/*.ts', 'sched/**/*.ts', 'fs/**/*.ts', 'src/{ipc,tty,net}/**/*.ts', 'syscalls/**/*.ts'];

const injected = 'the kernel takes time and randomness from kernel.clock and kernel.random only';
const impure = [
  { object: 'Date', property: 'now', message: injected },
  { object: 'Math', property: 'random', message: injected },
  { object: 'process', property: 'hrtime', message: injected },
  { object: 'performance', property: 'now', message: injected },
];
const impureSyntax = [{ selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: injected }];
// The command is bundled as CommonJS, which has no top-level await.
const topLevelAwait = [
  { selector: 'Program > ExpressionStatement > AwaitExpression', message: 'no top-level await in the product' },
  {
    selector: 'Program > VariableDeclaration > VariableDeclarator > AwaitExpression',
    message: 'no top-level await in the product',
  },
];

// What differs per architecture is a table with an entry for each, or a file of its own: a third one is then found missing by the
// compiler (docs/architectures.md).
const architecture = ['BinaryExpression', 'SwitchCase'].map((node) => ({
  selector: `${node} > Literal[value=/^(x86_64|aarch64|x64|arm64)$/]`,
  message: 'no decisions by the name of an architecture: use a Record<ArchName, ...>',
}));

const nodeGlobals =
  'process console Buffer URL TextDecoder TextEncoder setTimeout clearTimeout setInterval clearInterval setImmediate performance structuredClone'.split(
    ' ',
  );

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'dist.*/', 'build/', 'build-*/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'off', // errno values are pre-made objects
      '@typescript-eslint/no-empty-object-type': 'off', // declaration merging starts from empty interfaces
      '@typescript-eslint/no-unsafe-declaration-merging': 'off', // how lower layers hold state of higher ones
      'no-control-regex': 'off', // byte strings
      'no-constant-condition': ['error', { checkLoops: false }],
    },
  },
  {
    files: product,
    plugins: { levitate },
    rules: {
      'levitate/import-direction': 'error',
      'no-restricted-syntax': ['error', ...topLevelAwait, ...architecture],
    },
  },
  {
    files: kernel,
    rules: {
      'no-restricted-properties': ['error', ...impure],
      'no-restricted-syntax': ['error', ...topLevelAwait, ...impureSyntax, ...architecture],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])),
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', __dirname: 'readonly', __filename: 'readonly' },
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: Object.fromEntries(
      [
        'no-unsafe-assignment',
        'no-unsafe-argument',
        'no-unsafe-member-access',
        'no-unsafe-return',
        'require-await',
      ].map((rule) => [`@typescript-eslint/${rule}`, 'off']),
    ),
  },
);
