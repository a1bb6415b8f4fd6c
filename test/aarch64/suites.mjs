/** Which test files run on AArch64 unless others are named, and which of them are one file there. */
import { tracked } from './programs.mjs';

const SUITES = ['test/aarch64/', 'test/syscalls/'];

/**
 * Folders whose files become one: a file costs seconds there, and the tables of system calls run in one batch per side, however
 * many files they come from.
 */
const JOINED = ['test/syscalls'];

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
  for (const file of files) {
    const folder = JOINED.find((name) => file.startsWith(`${name}/`));
    const name = folder === undefined ? file.slice(0, -'.ts'.length) : `${folder}/all.test`;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return groups;
}
