/**
 * The `.strace` scripts of this folder, on every side: natively, under ptrace (with and without the gate), on the script platform
 * through the executor, and by the replayer. LEVITATE_TEST_SCRIPTS=TEXT takes those whose path has it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE } from '../support/script.js';
import { compileScript } from '../support/strace/compile.js';
import { registerTest } from '../support/suite.js';

const only = process.env['LEVITATE_TEST_SCRIPTS'] ?? '';
/** Their numbers are pages of 4 KiB; memory.test.ts and read-write.test.ts say the same of other pages. */
const SMALL_PAGES = new Set(PAGE === 4096 ? [] : ['files/holes.strace', 'memory/mlock.strace', 'memory/mremap.strace']);
const scripts = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.strace') && name.includes(only) && !SMALL_PAGES.has(name))
  .sort();

for (const name of scripts) registerTest(name, (builder) => compileScript(join(import.meta.dirname, name), builder));
