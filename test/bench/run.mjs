#!/usr/bin/env node
// npm run bench: native, the ptrace floor and levitate side by side, from one run.
//
//   node test/bench/run.mjs [--rounds N] [--scale F] [--bench a,b,c] [--no-limits]
//
// ubench (guest/ubench.c, a static musl binary) runs natively and inside levitate, alternating bench by bench within
// every round, so that a change in the machine's speed falls on both alike; floor (guest/floor.c) is what a C tracer that
// does nothing pays per system call. Figures are medians over the rounds. The limits are ratios within the run; a bench
// that misses its limit is marked and makes the exit status 1.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, copyFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const repo = join(here, '..', '..');
const options = { rounds: '3', scale: '0.3', bench: '', limits: true };
for (let args = process.argv.slice(2); args.length > 0;) {
  const arg = args.shift();
  if (arg === '--no-limits') options.limits = false;
  else if (/^--(rounds|scale|bench)$/.test(arg) && args.length > 0) options[arg.slice(2)] = args.shift();
  else {
    console.error(`bench: cannot read "${arg}"; usage: bench [--rounds N] [--scale F] [--bench a,b,c] [--no-limits]`);
    process.exit(2);
  }
}

/** Limits of the ratio levitate / native (or, where said, of a formula over native and floor in ns). */
const LIMITS = {
  getpid: { text: '1.3 x floor', allowed: (native, floor) => 1.3 * floor },
  fork: { text: '2 x native', allowed: (native) => 2 * native },
  forkexec: { text: '4 x native', allowed: (native) => 4 * native },
  cpu: { text: '1.03 x native', allowed: (native) => 1.03 * native },
  seqread: { text: '3 x native + floor', allowed: (native, floor) => 3 * native + floor },
};

const work = mkdtempSync(join(tmpdir(), 'levitate-bench-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

function must(command, args, how = {}) {
  const run = spawnSync(command, args, { encoding: 'utf8', timeout: 600_000, ...how });
  if (run.error !== undefined || run.status !== 0) {
    console.error(
      `bench: ${command} ${args.join(' ')}: ${run.error?.message ?? `status ${run.status ?? run.signal}`}\n${run.stderr ?? ''}`,
    );
    process.exit(1);
  }
  return run.stdout;
}

must('musl-gcc', ['-O2', '-static', '-o', join(work, 'ubench'), join(here, 'guest', 'ubench.c')]);
must('gcc', ['-O2', '-o', join(work, 'floor'), join(here, 'guest', 'floor.c')]);
const root = join(work, 'root');
for (const dir of ['', 'tmp', 'dev', 'proc', 'bin']) mkdirSync(join(root, dir), { recursive: true });
chmodSync(join(root, 'tmp'), 0o1777);
copyFileSync(join(work, 'ubench'), join(root, 'bin', 'ubench'));
const bin = join(repo, 'dist', 'bin', 'levitate-run.cjs');
if (!existsSync(bin)) {
  console.error('bench: dist/ is missing: run `npm run build` first');
  process.exit(1);
}

// Native files live on tmpfs where there is one, as they do inside levitate.
const scratch = existsSync('/dev/shm') && statSync('/dev/shm').isDirectory() ? '/dev/shm' : tmpdir();
const commands = {
  native: (args) => [join(work, 'ubench'), ['-d', scratch, ...args]],
  levitate: (args) => [process.execPath, [bin, '--root', root, '/bin/ubench', ...args]],
};

const names = options.bench === '' ? must(join(work, 'ubench'), ['list']).trim().split('\n') : options.bench.split(',');
const figures = new Map(); // "command bench" -> list of ns
let failed = false;
const note = (key, value) => figures.set(key, [...(figures.get(key) ?? []), value]);
const progress = (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);

for (let round = 1; round <= Number(options.rounds); round++) {
  progress(`round ${round}/${options.rounds}: floor`);
  note('floor', Number(must(join(work, 'floor'), ['30000']).split(' ')[1]));
  for (const name of names)
    for (const [command, line] of Object.entries(commands)) {
      progress(`round ${round}/${options.rounds}: ${name} ${command}`);
      const [program, args] = line(['-s', options.scale, '-b', '3', name]);
      const run = spawnSync(program, args, { encoding: 'utf8', timeout: 600_000 });
      const match = /^\w+ ([\d.]+) \d+$/m.exec(run.stdout ?? '');
      if (match !== null) note(`${command} ${name}`, Number(match[1]));
      else {
        failed = true;
        console.error(
          `bench: ${name} under ${command} gave no figure (${run.signal ?? run.status}): ${(run.stdout + run.stderr).trim().slice(-300)}`,
        );
      }
    }
}

const median = (list) =>
  list === undefined ? NaN : [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
const time = (ns) =>
  ns >= 1e6 ? `${(ns / 1e6).toFixed(2)} ms` : ns >= 1e3 ? `${(ns / 1e3).toFixed(2)} us` : `${ns.toFixed(0)} ns`;
const floor = median(figures.get('floor'));
progress('');
console.log(`ptrace floor: ${time(floor)} a call\n`);
console.log(
  ['bench'.padEnd(15), 'native'.padStart(12), 'levitate'.padStart(12), 'ratio'.padStart(9), '  limit'].join(''),
);
for (const name of names) {
  const native = median(figures.get(`native ${name}`));
  const ours = median(figures.get(`levitate ${name}`));
  const limit = LIMITS[name];
  let verdict = '';
  if (limit !== undefined && !Number.isNaN(ours)) {
    const allowed = limit.allowed(native, floor);
    verdict = `  ${limit.text} = ${time(allowed)}${ours <= allowed ? '' : '  MISSED'}`;
    if (ours > allowed && options.limits) failed = true;
  }
  console.log(
    [
      name.padEnd(15),
      time(native).padStart(12),
      time(ours).padStart(12),
      (ours / native).toFixed(2).padStart(9),
      verdict,
    ].join(''),
  );
}

/** Whole commands: wall time of `levitate-run busybox true` against `node -e 0`. */
if (options.bench === '') {
  const wall = (command, args) => {
    const start = process.hrtime.bigint();
    must(command, args);
    return Number(process.hrtime.bigint() - start);
  };
  const nodes = [];
  const runs = [];
  must(process.execPath, [bin, 'busybox', 'true']); // builds and caches the root filesystem if need be
  for (let i = 0; i < 11; i++) {
    nodes.push(wall(process.execPath, ['-e', '0']));
    runs.push(wall(process.execPath, [bin, 'busybox', 'true']));
  }
  const [node, run] = [median(nodes), median(runs)];
  const missed = run > 3 * node;
  if (missed && options.limits) failed = true;
  console.log(
    `\nlevitate-run busybox true: ${time(run)}, node -e 0: ${time(node)}, ratio ${(run / node).toFixed(2)}  limit 3${missed ? '  MISSED' : ''}`,
  );
}
process.exit(failed ? 1 : 0);
