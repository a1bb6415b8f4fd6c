/**
 * This clone as the emulated machine sees it at /w: the addon cross-built, the commands and the tests bundled here (a TypeScript
 * compiler takes minutes there), and what Jest needs of node_modules.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { cached } from './cache.mjs';
import { provideLanguages } from './languages.mjs';
import { must, root, tracked } from './programs.mjs';
import { provideRootfs } from './rootfs.mjs';
import { load } from './sources.mjs';
import { grouped } from './suites.mjs';

const require = createRequire(import.meta.url);
/** Where the project lies in the machine. */
const THERE = '/w';
const ADDON = ['levitate.node', 'levitate-stub', 'levitate-guard'];
/** Left to node_modules in the machine. */
const EXTERNAL = ['@jest/globals', 'jest'];
/** The resolver Jest uses has native code. */
const RESOLVER = '@unrs/resolver-binding-linux-arm64-gnu';

/** The addon's folder, cross-built when its sources have changed. */
function addon(cache) {
  const sources = tracked('native', 'binding.gyp').map((file) => [file, readFileSync(join(root, file), 'latin1')]);
  return cached(cache, 'addon', sources, (scratch) => {
    must(process.execPath, ['native/build.mjs', '--cross=aarch64'], { cwd: root });
    for (const name of ADDON) cpSync(join(root, 'build-aarch64/build/Release', name), join(scratch, name));
  });
}

/** import.meta of the bundled files is what it would be if they were run where they lie. */
const importMeta = {
  name: 'import-meta',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const there = join(THERE, relative(root, path));
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(there)))
        .replaceAll('import.meta.filename', JSON.stringify(there))
        .replaceAll('import.meta.url', JSON.stringify(`file://${there}`));
      return { contents, loader: 'ts' };
    });
  },
};

/** Bundles test files: each group becomes one NAME.cjs. */
async function bundleTests(groups, folder) {
  await require('esbuild').build({
    absWorkingDir: root,
    entryPoints: [...groups].map(([name]) => ({ in: `group:${name}`, out: name })),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: EXTERNAL,
    plugins: [groupFiles(groups), importMeta],
    supported: { 'dynamic-import': false },
    keepNames: true,
    logLevel: 'warning',
  });
}
const groupFiles = (groups) => ({
  name: 'group',
  setup(build) {
    build.onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice('group:'.length), namespace: 'group' }));
    build.onLoad({ filter: /./, namespace: 'group' }, ({ path }) => ({
      contents: groups
        .get(path)
        .map((file) => `import ${JSON.stringify(`./${file}`)};`)
        .join('\n'),
      resolveDir: root,
    }));
  },
});

/** The packages of node_modules that `names` need, from the lock file. */
function closure(names) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const found = new Set();
  const add = (name, from) => {
    // Node's own search: the nearest node_modules on the way up.
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      if (packages[path] !== undefined) {
        if (found.has(path)) return;
        found.add(path);
        const { dependencies = {}, optionalDependencies = {} } = packages[path];
        for (const other of Object.keys({ ...dependencies, ...optionalDependencies })) add(other, path);
        return;
      }
      if (at === '') return; // of another platform, or optional
    }
  };
  for (const name of names) add(name, '');
  return { paths: [...found].filter((path) => existsSync(join(root, path))), packages };
}

function modules(cache, folder) {
  const { paths, packages } = closure(EXTERNAL);
  for (const path of paths) {
    // Packages within packages have entries of their own.
    const nested = join(root, path, 'node_modules');
    cpSync(join(root, path), join(folder, path), { recursive: true, filter: (from) => from !== nested });
  }
  const name = `${RESOLVER}@${packages[`node_modules/${RESOLVER}`].version}`;
  const kept = cached(cache, 'resolver', [name], (scratch) => {
    must('npm', ['pack', '--silent', '--pack-destination', scratch, name]);
    must('tar', ['-xzf', join(scratch, readdirSync(scratch)[0]), '-C', scratch]);
  });
  cpSync(join(kept, 'package'), join(folder, 'node_modules', RESOLVER), { recursive: true });
}

/** The guest that runs scripts of system calls: a compiler takes 10 s there. */
async function executor(folder) {
  const { buildExecutor } = await load('test/support/executor.ts');
  mkdirSync(join(folder, 'guests'));
  cpSync(buildExecutor('aarch64'), join(folder, 'guests/executor'));
}

const JEST = {
  testEnvironment: 'node',
  testRegex: '\\.test\\.cjs$',
  transform: {},
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // A twelfth of the host's speed, and it may be busy.
  testTimeout: 600_000,
  cache: false,
};

/** Fills `folder`; `tests` are test files of the clone, `musl` is that C library for the machine. Its init runs `command` there. */
export async function stage({ cache, musl, folder, tests }) {
  const native = addon(cache);
  must(process.execPath, ['src/build.mjs', 'bundles'], { cwd: root });
  for (const file of tracked('test', 'rootfs', 'src', 'native', 'binding.gyp', 'package.json'))
    cpSync(join(root, file), join(folder, file));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true, filter: (from) => !from.endsWith('.map') });
  for (const name of ADDON) cpSync(join(native, name), join(folder, 'build/Release', name));
  if (tests.length > 0) {
    await bundleTests(grouped(tests), folder);
    modules(cache, folder);
    // Not the clone's: that one is for TypeScript.
    rmSync(join(folder, 'jest.config.js'), { force: true });
    writeFileSync(join(folder, 'jest.config.cjs'), `module.exports = ${JSON.stringify(JEST)};\n`);
  }
  if (tests.some((name) => name.startsWith('test/syscalls/'))) await executor(folder);
  if (tests.includes('test/aarch64/languages.test.ts')) provideLanguages(cache, join(folder, 'guests/languages'));
  const built = await provideRootfs(cache, musl, join(folder, 'cache'));
  cpSync(join(built, 'busybox'), join(folder, 'guests/busybox'));
  mkdirSync(join(folder, 'out'));
}
