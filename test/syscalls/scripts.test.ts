/**
 * The `.strace` scripts of this folder, on every side: natively, under ptrace (with and without the gate), on the script platform
 * through the executor, and by the replayer. LEVITATE_TEST_SCRIPTS=TEXT takes those whose path has it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compileScript } from '../support/strace/compile.js';
import { registerTest } from '../support/suite.js';

const only = process.env['LEVITATE_TEST_SCRIPTS'] ?? '';
const scripts = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.strace') && name.includes(only))
  .sort();

for (const name of scripts) registerTest(name, (builder) => compileScript(join(import.meta.dirname, name), builder));
