// What recording costs, and how fast recordings are played and converted: whole commands, timed from outside, in turns.
//
// Rates are without the time a command needs to do nothing, and their limits are for a machine whose floor is 10 us.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CALLS = 300_000;
/** [what, shell command] */
const RECORDED = [
  ['seq | sort', 'seq 1000 | sort -n | tail -1'],
  ['100 x true', 'i=0; while [ $i -lt 100 ]; do /bin/busybox true; i=$((i+1)); done'],
  ['tar | gzip', 'tar c /bin | gzip | wc -c'],
  ['find', 'i=0; while [ $i -lt 30 ]; do find / -xdev >/dev/null; ls -l /bin; i=$((i+1)); done'],
  ['sh read', 'seq 20000 | while read a; do :; done'],
];
const RECORD_LIMIT = 1.5;
const REPLAY_LIMIT = 200_000;
const CHROME_LIMIT_S = 10;

/** Repeated as often as it takes. */
const SCRIPT = ['read(3, "\\0\\0\\0\\0", 4) = 4', 'lseek(3, 0, SEEK_SET) = 0', 'getppid() = _', 'stat("/tmp", _) = 0'];

/** `wall(program, words)` gives ns; prints a table, and gives whether every limit that is one was met. */
export function laboratory({ dist, work, floor, rounds, wall, median, progress }) {
  const command = (name, words) => wall(process.execPath, [join(dist, `${name}.cjs`), ...words]);
  const timed = (what, run) => {
    progress(what);
    return median(Array.from({ length: rounds }, run));
  };
  let met = true;
  const say = (what, text, limit, within, goal) => {
    if (!within && !goal) met = false;
    console.log(
      `${what.padEnd(24)}${text.padStart(28)}  ${limit}${within ? '' : goal ? ' NOT REACHED YET' : ' MISSED'}`,
    );
  };
  console.log('');
  const recording = join(work, 'recording.jsonl');
  for (const [what, text] of RECORDED) {
    const shell = ['busybox', 'sh', '-c', text];
    const pairs = Array.from({ length: rounds }, () => {
      progress(`--record ${what}`);
      return [command('levitate-run', shell), command('levitate-run', ['--record', recording, ...shell])];
    });
    const [without, recorded] = [0, 1].map((i) => median(pairs.map((pair) => pair[i])));
    const ratio = recorded / without;
    const figures = `${ms(without)} -> ${ms(recorded)}  ${ratio.toFixed(2)} x`;
    say(`--record ${what}`, figures, `at most ${RECORD_LIMIT}`, ratio <= RECORD_LIMIT, true);
  }
  // The last one is what is played and converted.
  const script = join(work, 'calls.strace');
  const lines = Array.from({ length: CALLS / SCRIPT.length }, () => SCRIPT.join('\n'));
  writeFileSync(script, `openat(AT_FDCWD, "/dev/zero", O_RDONLY) = 3\n${lines.join('\n')}\n`);
  const empty = join(work, 'empty.strace');
  writeFileSync(empty, 'getppid() = _\n');
  const start = timed('replay of nothing', () => command('levitate-replay', [empty]));
  const events = linesOf(recording);
  const least = (REPLAY_LIMIT * 10_000) / floor;
  for (const [what, file, calls, goal] of [
    ['a script', script, CALLS + 1, false],
    ['a recording', recording, events, true],
  ]) {
    const spent = timed(`replay of ${what}`, () => command('levitate-replay', [file])) - start;
    const rate = (calls * 1e9) / spent;
    say(`replay of ${what}`, `${Math.round(rate)} calls/s`, `at least ${Math.round(least)}`, rate >= least, goal);
  }
  const output = join(work, 'chrome.json');
  const spent = timed('convert', () => command('levitate-trace', ['convert', recording, '-o', output]));
  const million = (spent / events) * 1e6;
  const allowed = (CHROME_LIMIT_S * 1e9 * floor) / 10_000;
  say('1,000,000 to Chrome', ms(million), `at most ${ms(allowed)}`, million <= allowed, false);
  return met;
}

/** Without the header. */
const linesOf = (file) => readFileSync(file, 'latin1').split('\n').length - 2;
const ms = (ns) => `${(ns / 1e6).toFixed(0)} ms`;
