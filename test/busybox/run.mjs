#!/usr/bin/env node
// npm run test:busybox: BusyBox's own test suites (testsuite/ and shell/ash_test/ of its Debian source), inside levitate.
//
//   node test/busybox/run.mjs [--host] [--only REGEX] [--jobs N] [--keep] [--verbose]
//
// Each applet's suite and each ash_test folder is one run of levitate-run with a time limit. A case that ends otherwise than
// on the host must be listed in expectations.txt with its reason; a listed one that passes is reported too, so the list
// cannot rot. --host runs the same suites natively (chroot, root needed) and prints what differs from host.txt.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const repo = join(here, '..', '..');
const cli = join(repo, 'dist', 'bin', 'levitate-run.cjs');
const options = { host: false, only: null, jobs: 2, keep: false, verbose: false };
for (let args = process.argv.slice(2); args.length > 0;) {
  const arg = args.shift();
  if (arg === '--host' || arg === '--keep' || arg === '--verbose') options[arg.slice(2)] = true;
  else if (arg === '--only' && args.length > 0) options.only = new RegExp(args.shift());
  else if (arg === '--jobs' && args.length > 0) options.jobs = Number(args.shift());
  else {
    console.error(`test:busybox: cannot read "${arg}"; options: --host --only REGEX --jobs N --keep --verbose`);
    process.exit(2);
  }
}
const MINIMUM = { testsuite: 700, ash_test: 250 };
const LIMIT_SECONDS = 480;

function must(command, args, how = {}) {
  const run = spawnSync(command, args, { encoding: 'utf8', ...how });
  if (run.status !== 0) {
    console.error(`test:busybox: ${command} ${args.join(' ')} failed: ${run.error?.message ?? run.stderr}`);
    process.exit(1);
  }
  return run.stdout;
}

const cache = must(process.execPath, [cli, '--print-root']).trim();
const work = mkdtempSync(join(tmpdir(), 'levitate-busybox-'));
process.on('exit', () => options.keep || rmSync(work, { recursive: true, force: true }));

/** A root with BusyBox, its links, and the suites laid out as in its build folder, helpers compiled. */
function stage() {
  const root = join(work, 'root');
  mkdirSync(root);
  cpSync(join(repo, 'rootfs', 'skeleton'), root, { recursive: true });
  for (const dir of ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'dev', 'proc', 'tmp', 'root', 'var/run', 'build'])
    mkdirSync(join(root, dir), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  cpSync(join(cache, 'busybox'), join(root, 'bin', 'busybox'));
  for (const link of readFileSync(join(cache, 'applets'), 'utf8').trim().split('\n'))
    if (link !== 'bin/busybox' && !existsSync(join(root, link))) symlinkSync('/bin/busybox', join(root, link));
  const build = join(root, 'build');
  cpSync(join(cache, 'tests'), build, { recursive: true });
  cpSync(join(cache, 'busybox'), join(build, 'busybox'));
  cpSync(join(cache, 'busybox.config'), join(build, '.config'));
  const ash = join(build, 'shell', 'ash_test');
  cpSync(join(cache, 'busybox.config'), join(ash, '.config'));
  symlinkSync('/build/busybox', join(ash, 'ash'));
  const compile = (from, to) => must('musl-gcc', ['-O2', '-static', '-w', '-o', to, from]);
  for (const tool of ['printenv', 'recho', 'zecho']) compile(join(ash, `${tool}.c`), join(ash, tool));
  compile(join(build, 'scripts', 'echo.c'), join(build, 'testsuite', 'echo-ne'));
  return root;
}

/** Work items: [suite, shell command, working directory, name]. */
function items(root) {
  const suite = join(root, 'build', 'testsuite');
  const applets = new Set();
  for (const entry of readdirSync(suite, { withFileTypes: true })) {
    if (entry.isDirectory()) applets.add(entry.name);
    else if (entry.name.endsWith('.tests')) applets.add(entry.name.slice(0, -6));
  }
  const list = [...applets].sort().map((name) => ({
    suite: 'testsuite',
    name,
    cwd: '/build/testsuite',
    command: `export bindir=/build tsdir=/build/testsuite ECHO=/build/testsuite/echo-ne; sh ./runtest ${name}`,
  }));
  const ash = join(root, 'build', 'shell', 'ash_test');
  for (const name of readdirSync(ash)
    .filter((entry) => entry.startsWith('ash-'))
    .sort())
    list.push({ suite: 'ash_test', name, cwd: '/build/shell/ash_test', command: `sh ./run-all ${name}` });
  return list.filter((item) => options.only === null || options.only.test(`${item.suite}/${item.name}`));
}

/** Runs one item; resolves to its output. */
function execute(item, root) {
  const env = { PATH: '/bin:/sbin:/usr/bin:/usr/sbin', HOME: '/root', TERM: 'dumb', TMPDIR: '/tmp' };
  let argv;
  if (options.host) {
    const copy = join(work, `host-${item.suite}-${item.name}`);
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
    const setup =
      'mount -t proc proc /proc; mount -t devtmpfs dev /dev 2>/dev/null; cd "$1" && shift && exec sh -c "$1"';
    argv = ['unshare', '-mpf', '--', 'chroot', copy, '/bin/sh', '-c', setup, 'sh', item.cwd, item.command];
  } else {
    const set = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    argv = [
      process.execPath,
      cli,
      '--root',
      root,
      ...set,
      '--cwd',
      item.cwd,
      '--timeout',
      `${LIMIT_SECONDS}s`,
      'sh',
      '-c',
      item.command,
    ];
  }
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), {
      env: { ...process.env, ...env, PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk.toString('latin1')));
    child.stderr.on('data', (chunk) => (out += chunk.toString('latin1')));
    child.on('close', (status, signal) => resolve({ out, status: signal ?? status }));
  });
}

/** Case results of an output: name -> PASS, FAIL, ... */
function results(item, out) {
  const found = new Map();
  const note = (name, result) => {
    // Some suites use one name twice: number them.
    let key = `${item.suite}/${item.name}: ${name}`;
    for (let n = 2; found.has(key); n++) key = `${item.suite}/${item.name}: ${name} #${n}`;
    found.set(key, result);
  };
  for (const line of out.split('\n')) {
    const match =
      item.suite === 'testsuite'
        ? /^(PASS|FAIL|SKIPPED|UNTESTED): (.*?)\s*$/.exec(line)
        : /^(\S+\/\S+?):? (ok|fail)$/.exec(line);
    if (match === null) continue;
    if (item.suite === 'testsuite') note(match[2], match[1]);
    else note(match[1], match[2] === 'ok' ? 'PASS' : 'FAIL');
  }
  return found;
}

/** `result<TAB>case` (host.txt) or `result<TAB>case<TAB>reason` lines; '#' comments. */
function readList(file) {
  const list = new Map();
  if (!existsSync(file)) return list;
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [result, name, reason] = line.split('\t');
    if (!file.endsWith('host.txt') && !reason) throw new Error(`${file}: no reason: ${line}`);
    list.set(name, { result, reason });
  }
  return list;
}

const root = stage();
const queue = items(root);
const all = new Map();
const total = queue.length;
let done = 0;
const start = Date.now();
async function worker() {
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    const { out, status } = await execute(item, root);
    const found = results(item, out);
    for (const [name, result] of found) all.set(name, result);
    done++;
    const passes = [...found.values()].filter((result) => result === 'PASS').length;
    const line = `[${done}/${total}] ${item.suite}/${item.name}: ${passes} of ${found.size} pass${status === 124 ? ', TIMED OUT' : ''}`;
    if (process.stderr.isTTY && !options.verbose) process.stderr.write(`\r\x1b[K${line}`);
    else console.error(line);
    if (options.verbose) console.error(out.replace(/^/gm, '    '));
  }
}
await Promise.all(Array.from({ length: options.jobs }, worker));
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

const host = readList(join(here, 'host.txt'));
if (options.host) {
  const lines = [...all].sort().map(([name, result]) => `${result}\t${name}`);
  writeFileSync(
    join(here, 'host.txt'),
    `# Results on the host (npm run test:busybox -- --host), Debian 12.\n${lines.join('\n')}\n`,
    'latin1',
  );
  console.log(`host.txt: ${lines.length} cases`);
  process.exit(0);
}
const expectations = readList(join(here, 'expectations.txt'));
let unexpected = 0;
const selected = (name) => options.only === null || options.only.test(name.slice(0, name.indexOf(':')));
for (const [name, { result }] of host) {
  if (!selected(name)) continue;
  const ours = all.get(name) ?? 'MISSING';
  const expected = expectations.get(name)?.result ?? result;
  if (ours === expected) continue;
  unexpected++;
  console.log(`${ours} instead of ${expected}: ${name}`);
}
for (const suite of ['testsuite', 'ash_test']) {
  const names = [...all].filter(([name]) => name.startsWith(`${suite}/`));
  const passes = names.filter(([, result]) => result === 'PASS').length;
  const native = [...host].filter(([name, { result }]) => name.startsWith(`${suite}/`) && result === 'PASS').length;
  console.log(`${suite}: ${passes} pass inside, ${native} on the host, of ${names.length} cases`);
  if (options.only === null && passes < MINIMUM[suite]) {
    console.log(`${suite}: fewer than ${MINIMUM[suite]}`);
    unexpected++;
  }
}
console.log(
  `${expectations.size} expected differences, ${unexpected} unexpected, ${((Date.now() - start) / 1000).toFixed(0)} s`,
);
process.exit(unexpected > 0 ? 1 : 0);
