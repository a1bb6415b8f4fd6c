#!/usr/bin/env node
// A command's entry: loads the bundle beside it (main.cjs; levitate-NAME's is NAME.cjs) through V8's code cache and calls its `main`.
//
// Finding and compiling JavaScript is most of the start-up time, and `levitate-run busybox true` is to cost little more
// than Node itself. The cache is per user and is written at the end of the first run, when the functions that a run
// needs have been compiled and so are part of it. A cache of another Node, other flags or another bundle is rejected by
// V8 or has another name; it is only ever read from a folder that is the user's own.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

const bundleName = path.basename(__filename, '.cjs').replace('levitate-', '').replace(/^run$/, 'main');
const file = path.join(__dirname, `${bundleName}.cjs`);
const KEPT = 7;

// Large functions are to be optimized no later than small ones: a fork or exec runs a hundred functions once, and most guests
// are short. (V8 11 waits for one more tick for every 150 bytes of bytecode; later ones have no such flags, and say so.)
if (process.versions.v8.startsWith('11.')) {
  v8.setFlagsFromString('--bytecode-size-allowance-per-tick=600');
  v8.setFlagsFromString('--ticks-before-optimization=2');
}

function cachePath(stat) {
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'));
  if (!base || !path.isAbsolute(base) || process.env.LEVITATE_CODE_CACHE === '0') return undefined;
  const key = `${process.version}-${process.arch}-${stat.size.toString(36)}-${Math.trunc(stat.mtimeMs).toString(36)}`;
  return path.join(base, 'levitate', 'code', `${bundleName}-${key}.bin`);
}

function readCache(name) {
  let fd;
  try {
    fd = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    const stat = fs.fstatSync(fd);
    if (stat.uid !== process.geteuid() || (stat.mode & 0o022) !== 0) return undefined;
    return fs.readFileSync(fd);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Not `recursive: true`: Node spins for ever on a path below /proc. */
function makeFolder(folder) {
  if (fs.existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  fs.mkdirSync(folder, { mode: 0o700 });
}

/** Caches of other builds and other Nodes stay while they are few. */
function evict(folder) {
  const files = fs.readdirSync(folder).map((entry) => path.join(folder, entry));
  const age = new Map(files.map((entry) => [entry, fs.statSync(entry).mtimeMs]));
  files.sort((a, b) => age.get(b) - age.get(a));
  for (const entry of files.slice(KEPT)) fs.rmSync(entry, { force: true });
}

function writeCache(name, data) {
  const folder = path.dirname(name);
  const temporary = `${name}.${process.pid}`;
  try {
    makeFolder(folder);
    evict(folder);
    fs.writeFileSync(temporary, data, { mode: 0o600, flag: 'wx' });
    fs.renameSync(temporary, name);
  } catch {
    // A read-only or full home only costs start-up time.
  }
}

const source = fs.readFileSync(file, 'latin1');
const name = cachePath(fs.statSync(file));
const cachedData = name && readCache(name);
const script = new vm.Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
  filename: file,
  cachedData,
});
const bundle = { exports: {} };
script.runInThisContext()(bundle.exports, require, bundle, file, __dirname);

/** Called by the bundle when a guest has run to its end. */
function onGuestDone() {
  if (name && (!cachedData || script.cachedDataRejected)) writeCache(name, script.createCachedData());
}
void bundle.exports.main(process.argv.slice(2), onGuestDone);
