// Builds levitate: `node src/build.mjs [native|ts|bundles]`; without an argument, native and ts. npm runs `native` as the
// install script and `ts` as the prepare script, so that `npm ci` in a clone leaves everything ready, `npx levitate-run`
// included. `bundles` is `ts` without the declarations, in a tenth of the time: the test runner calls it.
//
//   build/Release/*.node         the addon (native/build.mjs, node-gyp)
//   dist/bin/levitate-run.cjs    launcher: loads main.cjs through V8's code cache
//   dist/bin/main.cjs            the whole command as one file: start-up time is dominated by finding and compiling files
//   dist/bin/levitate-diff.cjs, diff.cjs    the same of levitate-diff; replay.cjs of levitate-replay, trace.cjs of levitate-trace
//   dist/lib/*.js                the library (`import { boot } from 'levitate'`), ESM
//   dist/types/                  its declarations
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const what = process.argv[2] ?? 'all';
const COMMANDS = ['levitate-run', 'levitate-diff', 'levitate-replay', 'levitate-trace'];

function fail(message) {
  console.error(`build: ${message}`);
  process.exit(1);
}

function buildNative() {
  if (!existsSync(join(root, 'binding.gyp')) || !existsSync(join(root, 'native/build.mjs'))) return;
  const result = spawnSync(process.execPath, [join(root, 'native/build.mjs')], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) fail('the native addon was not built (see above)');
}

/** Source entries of a bundle that exist (parts of the tree may be absent while it grows). */
function present(entries) {
  return Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(join(root, file))));
}

/** string-width makes a text segmenter when it is loaded, which takes 20 ms: only --help needs it, and loads it then. */
const lateStringWidth = {
  name: 'late-string-width',
  setup(build) {
    build.onResolve({ filter: /^string-width$/ }, async ({ importer, kind, pluginData, resolveDir }) => {
      if (pluginData === lateStringWidth) return undefined;
      const { path } = await build.resolve('string-width', { importer, kind, resolveDir, pluginData: lateStringWidth });
      return { path, namespace: 'late' };
    });
    build.onLoad({ filter: /./, namespace: 'late' }, ({ path }) => ({
      contents: `let width; export default (...args) => (width ??= require(${JSON.stringify(path)}).default)(...args);`,
      resolveDir: dirname(path),
    }));
  },
};

async function buildTypeScript() {
  let esbuild;
  try {
    esbuild = require('esbuild');
  } catch {
    // `npm ci --omit=dev`, or an install from a tarball, which brings dist/ along.
    if (existsSync(join(root, 'dist/bin/main.cjs'))) return;
    fail('dist/ is missing and so is esbuild: install with the development dependencies');
  }
  const out = `dist.${process.pid}`;
  mkdirSync(join(root, out, 'bin'), { recursive: true });
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
    legalComments: 'none',
    keepNames: false,
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
    sourcesContent: false,
  };
  const define = {
    LEVITATE_VERSION: JSON.stringify(version),
    LEVITATE_ROOTFS_HASH: JSON.stringify(await rootfsHash(esbuild)),
  };

  await esbuild.build({
    ...common,
    entryPoints: present({
      main: 'src/cli/levitate-run.ts',
      diff: 'src/cli/levitate-diff.ts',
      replay: 'src/cli/levitate-replay.ts',
      trace: 'src/cli/levitate-trace.ts',
    }),
    outdir: `${out}/bin`,
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    plugins: [lateStringWidth],
    // require() instead: starting Node's module loader costs 5 ms, and code from V8's cache may not call it.
    supported: { 'dynamic-import': false },
    // A CommonJS bundle has no import.meta. `dist/bin` is two levels below the package, as `src/cli` is.
    define: { ...define, 'import.meta.url': '__levitateUrl' },
    banner: { js: 'var __levitateUrl=require("node:url").pathToFileURL(__filename).href;' },
  });
  for (const command of COMMANDS) {
    const launcher = join(root, out, `bin/${command}.cjs`);
    copyFileSync(join(root, 'src/cli/launcher.cjs'), launcher);
    chmodSync(launcher, 0o755);
  }

  const library = present({ index: 'src/index.ts', worker: 'src/api/worker.ts' });
  if (Object.keys(library).length > 0) {
    await esbuild.build({
      ...common,
      entryPoints: library,
      outdir: `${out}/lib`,
      format: 'esm',
      splitting: true,
      packages: 'external',
      define,
    });
  }
  if (what !== 'bundles') {
    // Declarations come out even where types are wrong: `npm run typecheck` is where that is reported.
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', `${out}/types`], {
      cwd: root,
      stdio: 'ignore',
    });
  } else if (existsSync(join(root, 'dist/types'))) renameSync(join(root, 'dist/types'), join(root, out, 'types'));
  // Swapped in one piece: a command started meanwhile sees the old tree or the new one.
  const old = join(root, `${out}.old`);
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
  renameSync(join(root, out), join(root, 'dist'));
  rmSync(old, { recursive: true, force: true });
  COMMANDS.forEach(linkCommand);
}

/** The recipe's hash, computed by the recipe's own code (rootfs/recipe.ts). */
async function rootfsHash(esbuild) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['rootfs/recipe.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'rootfs/recipe.ts')).href) },
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  return (await import(`data:text/javascript;base64,${code}`)).recipeHash();
}

/** npm links a package's own commands only where the package is a dependency: in a clone, `npx levitate-run` needs this. */
function linkCommand(command) {
  const bin = join(root, 'node_modules/.bin');
  if (!existsSync(bin)) return;
  const link = join(bin, command);
  const target = `../../dist/bin/${command}.cjs`;
  try {
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link) === target) return;
    rmSync(link);
  } catch {
    // Not there yet.
  }
  symlinkSync(target, link);
}

/** Folders of builds that were killed. */
function sweep() {
  for (const name of readdirSync(root)) {
    const pid = Number(/^dist\.(\d+)(\.old)?$/.exec(name)?.[1]);
    if (!(pid > 0) || alive(pid)) continue;
    rmSync(join(root, name), { recursive: true, force: true });
  }
}
function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

if (what === 'native' || what === 'all') buildNative();
if (what !== 'native') {
  sweep();
  process.on('exit', () => rmSync(join(root, `dist.${process.pid}`), { recursive: true, force: true }));
  // `exit` comes only with an exit of our own.
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ])
    process.on(signal, () => process.exit(128 + number));
  try {
    await buildTypeScript();
  } catch (error) {
    if (!error.errors) throw error;
    fail('dist/ was not built (see above)'); // esbuild has printed its errors
  }
}
