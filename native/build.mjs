/**
 * Builds the native addon (npm's install script; also `node native/build.mjs --debug --cross=aarch64`).
 *
 * Headers come from the running Node's own installation when they are there, so that no download is needed.
 * `--cross=aarch64` builds with aarch64-linux-gnu-gcc/g++ into build-aarch64/build/Release/.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const cross = args.find((a) => a.startsWith('--cross='))?.slice('--cross='.length);
const debug = args.includes('--debug');

function fail(message) {
  console.error(`levitate: ${message}`);
  process.exit(1);
}

function works(command) {
  const result = spawnSync(command, ['--version'], { stdio: 'ignore', shell: command.includes(' ') });
  return !result.error && result.status === 0;
}

if (process.platform !== 'linux') {
  console.warn(`levitate: runs on Linux only, not building the addon on ${process.platform}`);
  process.exit(0);
}
if (cross !== undefined && cross !== 'aarch64') fail(`cannot cross-build for ${cross}: only --cross=aarch64`);

const env = { ...process.env };
if (cross) {
  env.CC = 'aarch64-linux-gnu-gcc';
  env.CXX = 'aarch64-linux-gnu-g++';
  env.LINK = env.CXX;
  env.AR = 'aarch64-linux-gnu-ar';
}
const compiler = env.CXX ?? 'g++';
if (!works(compiler)) {
  fail(
    cross
      ? `${compiler} is missing; on Debian: apt-get install g++-aarch64-linux-gnu`
      : `no C++ compiler (${compiler}); on Debian: apt-get install g++ make python3`,
  );
}
if (!works('make')) fail('make is missing; on Debian: apt-get install make');
if (!works(env.PYTHON ?? 'python3')) fail('python3 is missing (node-gyp needs it); on Debian: apt-get install python3');

let where = root;
if (cross) {
  // node-gyp always builds into build/ of its folder: give it a folder of its own.
  where = join(root, `build-${cross}`);
  rmSync(where, { recursive: true, force: true });
  mkdirSync(where, { recursive: true });
  cpSync(join(root, 'binding.gyp'), join(where, 'binding.gyp'));
  cpSync(join(root, 'native'), join(where, 'native'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(where, 'node_modules'));
}

const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const gypArgs = [gyp, cross ? 'rebuild' : 'build', debug ? '--debug' : '--release'];
if (!cross) gypArgs.splice(1, 1, 'configure', 'build');
if (cross) gypArgs.push('--arch=arm64');
const prefix = dirname(dirname(process.execPath));
if (existsSync(join(prefix, 'include/node/node_api.h'))) gypArgs.push(`--nodedir=${prefix}`);
gypArgs.push('--loglevel=warn', `--jobs=${env.LEVITATE_JOBS ?? 'max'}`);

const result = spawnSync(process.execPath, gypArgs, { cwd: where, env, stdio: 'inherit' });
if (result.status !== 0) fail('building the native addon failed (see above)');
