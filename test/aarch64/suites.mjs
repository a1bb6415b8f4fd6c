/** Which test files run on AArch64 unless others are named, which of them are one file there, and on which machine each runs. */
import { tracked } from './programs.mjs';

const SUITES = ['test/aarch64/', 'test/syscalls/'];
const SCRIPTS = 'test/syscalls/scripts.test';

/**
 * The files of this folder, the scripts apart, become PARTS: a file costs seconds there, and the tables of system calls run in one
 * batch per side, however many files they come from. More than one, for two machines to have as much to do.
 */
const JOINED = 'test/syscalls/';
const PARTS = 2;
const part = (number) => `${JOINED}tables-${number}.test`;

/** Seconds that a group of files takes there, roughly: what its machine is chosen by. */
const SECONDS = new Map([
  ...Array.from({ length: PARTS }, (_, number) => [part(number), 190]),
  [SCRIPTS, 155],
  ['test/aarch64/busybox.test', 30],
  ['test/aarch64/languages.test', 40],
]);
const OTHER_SECONDS = 15;

/** Test files that a pattern matches, relative to the clone. */
export function chosenTests(patterns) {
  const files = tracked('test').filter((name) => name.endsWith('.test.ts'));
  const wanted = (patterns.length > 0 ? patterns : SUITES).map((text) => new RegExp(text));
  const chosen = files.filter((name) => wanted.some((pattern) => pattern.test(name)));
  if (chosen.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`);
  return chosen;
}

/** The files in groups, each of which becomes one file: its name, and what it is made of. */
export function grouped(files) {
  const groups = new Map();
  let tables = 0;
  for (const file of files) {
    const itself = file.slice(0, -'.ts'.length);
    const name = file.startsWith(JOINED) && itself !== SCRIPTS ? part(tables++ % PARTS) : itself;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return groups;
}

/** Names of groups, divided between at most `machines` machines: each goes, longest first, to the one that has least to do. */
export function divided(names, machines) {
  const cost = (name) => SECONDS.get(name) ?? OTHER_SECONDS;
  const parts = Array.from({ length: Math.min(machines, names.length) }, () => ({ seconds: 0, names: [] }));
  for (const name of [...names].sort((a, b) => cost(b) - cost(a))) {
    const free = parts.reduce((least, other) => (other.seconds < least.seconds ? other : least));
    free.seconds += cost(name);
    free.names.push(name);
  }
  return parts.map(({ names: some }) => some);
}
