/**
 * The `.strace` scripts of this folder, on every side: natively, under ptrace (with and without the gate), on the script platform
 * through the executor, and by the replayer. LEVITATE_TEST_SCRIPTS=TEXT takes those whose path has it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE } from '../support/script.js';
import { compileScript } from '../support/strace/compile.js';
import { registerTest } from '../support/suite.js';

const only = process.env['LEVITATE_TEST_SCRIPTS'] ?? '';
/** Other pages than a script is about make its numbers untrue; memory.test.ts and others say the same of all pages. */
const suits = (name: string): boolean => {
  const pages = /^@pages (\d+)$/m.exec(readFileSync(join(import.meta.dirname, name), 'latin1'));
  return pages === null || Number(pages[1]) === PAGE;
};
const scripts = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.strace') && name.includes(only) && suits(name))
  .sort();

for (const name of scripts) registerTest(name, (builder) => compileScript(join(import.meta.dirname, name), builder));
