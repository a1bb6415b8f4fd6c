#!/usr/bin/env node
/**
 * Runs this clone's tests on AArch64: `npm run test:aarch64 [-- OPTIONS] [TEST FILE PATTERN...]`.
 *
 *   --cpu NAME        what QEMU emulates (default max,pauth-impdef=on); may be repeated: one run each
 *   --kernel 4k|16k   by its page size (default 4k)
 *   --shell           an interactive `levitate-run busybox sh` inside the machine
 *   --command TEXT    a shell command in the clone there, in place of tests (which are there for it if patterns are given)
 *   --limit SECONDS   of one run (default 1500)
 *
 * Without patterns, the suites of suites.mjs. The exit status is the first run's that failed; Jest's reports are left in the cache
 * folder, which is printed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { boot, image } from './machine.mjs';
import { stage } from './project.mjs';
import { chosenTests } from './suites.mjs';
import { KERNELS, baseImage, kernel } from './system.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cpu: { type: 'string', multiple: true },
    kernel: { type: 'string', default: '4k' },
    shell: { type: 'boolean', default: false },
    command: { type: 'string' },
    limit: { type: 'string', default: '1500' },
  },
});
if (KERNELS[values.kernel] === undefined) throw new Error(`--kernel takes ${Object.keys(KERNELS).join(' or ')}`);

const cacheHome = process.env.XDG_CACHE_HOME ?? '';
const cache = join(cacheHome.startsWith('/') ? cacheHome : join(homedir(), '.cache'), 'levitate/aarch64');
mkdirSync(cache, { recursive: true });
const command = values.shell ? 'exec sh test/aarch64/shell' : values.command;
const tests = command === undefined || positionals.length > 0 ? chosenTests(positionals) : [];
const base = baseImage(cache);
const system = kernel(cache, values.kernel);
const scratch = mkdtempSync(join(cache, 'run-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

let status = 0;
const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
await stage({
  cache,
  musl: base.musl,
  folder: join(scratch, 'w'),
  tests,
  command: command ?? 'exec sh test/aarch64/jest',
});
console.error(`aarch64: staged after ${seconds()}`);
for (const cpu of values.cpu ?? ['max,pauth-impdef=on']) {
  const project = join(scratch, 'project.img');
  const out = join(cache, `out-${values.kernel}-${cpu.split(',')[0]}`);
  image(join(scratch, 'w'), project);
  console.error(`aarch64: ${cpu}, kernel ${values.kernel}, after ${seconds()}`);
  const limitSeconds = values.shell ? 2 ** 20 : Number(values.limit);
  const ended = await boot({
    base: base.image,
    kernel: system,
    project,
    cpu,
    limitSeconds,
    interactive: values.shell,
    out,
  });
  console.error(`aarch64: ${cpu}: exit status ${ended} after ${seconds()}; results are in ${join(out, 'out')}`);
  if (command === undefined) summary(join(out, 'out/jest.json'));
  if (status === 0) status = ended;
}
process.exit(status);

function summary(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.error('aarch64: Jest left no report');
    status ||= 1;
    return;
  }
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults)
      if (test.status === 'failed') console.error(`aarch64: FAILED ${relative('/w', suite.name)}: ${test.fullName}`);
    if (suite.status === 'failed' && suite.assertionResults.length === 0)
      console.error(`aarch64: FAILED ${relative('/w', suite.name)}\n${suite.message}`);
  }
  const { numPassedTests, numFailedTests, numPendingTests } = report;
  console.error(`aarch64: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
  if (numPassedTests + numFailedTests === 0) status ||= 1;
}
