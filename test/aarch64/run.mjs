#!/usr/bin/env node
/**
 * Runs this clone's tests on AArch64: `npm run test:aarch64 [-- OPTIONS] [TEST FILE PATTERN...]`.
 *
 *   --cpu NAME        what QEMU emulates (default max,pauth-impdef=on); may be repeated: one run each
 *   --kernel 4k|16k   by its page size (default 4k)
 *   --shell           an interactive `levitate-run busybox sh` inside the machine
 *   --command TEXT    a shell command in the clone there, in place of tests (which are there for it if patterns are given)
 *   --machines N      to divide the test files between, with one processor each; one machine has two (default 2 if this one has
 *                     two processors, else 1)
 *   --limit SECONDS   of one run (default 1500)
 *
 * Without patterns, the suites of suites.mjs. The exit status is the first run's that failed; Jest's reports are left in the cache
 * folder, which is printed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { boot, image } from './machine.mjs';
import { stage } from './project.mjs';
import { chosenTests, divided, grouped } from './suites.mjs';
import { KERNELS, baseImage, kernel } from './system.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cpu: { type: 'string', multiple: true },
    kernel: { type: 'string', default: '4k' },
    shell: { type: 'boolean', default: false },
    command: { type: 'string' },
    machines: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    limit: { type: 'string', default: '1500' },
  },
});
if (KERNELS[values.kernel] === undefined) throw new Error(`--kernel takes ${Object.keys(KERNELS).join(' or ')}`);
if (!/^[1-9]$/.test(values.machines)) throw new Error('--machines takes a number from 1 to 9');

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
await stage({ cache, musl: base.musl, folder: join(scratch, 'w'), tests });
console.error(`aarch64: staged after ${seconds()}`);
const commands =
  command === undefined
    ? divided([...grouped(tests).keys()], Number(values.machines)).map(
        (names) => `exec sh test/aarch64/jest ${names.map((name) => `${name}.cjs`).join(' ')}`,
      )
    : [command];
// Two emulated processors in one machine wait for each other: two machines of one each do twice as much.
const processors = commands.length > 1 ? 1 : 2;
for (const cpu of values.cpu ?? ['max,pauth-impdef=on']) {
  console.error(`aarch64: ${cpu}, kernel ${values.kernel}, ${commands.length} machines, after ${seconds()}`);
  const all = join(cache, `out-${values.kernel}-${cpu.split(',')[0]}`);
  rmSync(all, { recursive: true, force: true });
  const results = await Promise.all(
    commands.map((text, index) => machine(cpu, text, index, join(all, String(index + 1)))),
  );
  console.error(`aarch64: ${cpu}: exit status ${results.join(', ')} after ${seconds()}; results are in ${all}`);
  status ||= results.find((ended) => ended !== 0) ?? 0;
  if (command === undefined) summary(commands.map((_, index) => join(all, String(index + 1), 'out/jest.json')));
}
process.exit(status);

function machine(cpu, text, index, out) {
  const project = join(scratch, `project-${index}.img`);
  image(join(scratch, 'w'), text, project);
  return boot({
    base: base.image,
    kernel: system,
    project,
    cpu,
    processors,
    limitSeconds: values.shell ? 2 ** 20 : Number(values.limit),
    interactive: values.shell,
    prefix: commands.length > 1 ? `${index + 1}: ` : '',
    out,
  });
}

function summary(files) {
  const total = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
  for (const file of files) {
    let report;
    try {
      report = JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      console.error(`aarch64: Jest left no report in ${file}`);
      status ||= 1;
      continue;
    }
    for (const count of Object.keys(total)) total[count] += report[count];
    failures(report);
  }
  const { numPassedTests, numFailedTests, numPendingTests } = total;
  console.error(`aarch64: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
  if (numPassedTests + numFailedTests === 0) status ||= 1;
}

function failures({ testResults }) {
  for (const suite of testResults) {
    for (const test of suite.assertionResults)
      if (test.status === 'failed') console.error(`aarch64: FAILED ${relative('/w', suite.name)}: ${test.fullName}`);
    if (suite.status === 'failed' && suite.assertionResults.length === 0)
      console.error(`aarch64: FAILED ${relative('/w', suite.name)}\n${suite.message}`);
  }
}
