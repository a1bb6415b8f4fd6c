// Runs the Jest projects: `node .ci/jest.mjs [unit|ptrace] [jest options]`. Without a project, all of them, one after the
// other. Suites that start guests run twice, with the gate and without (LEVITATE_GATE=0); with LEVITATE_GATE set, once, as
// it says. A whole run in which no test was executed is a failure; with a path or pattern given, a project without a match is not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const jest = join(dirname(require.resolve('jest/package.json')), 'bin/jest.js');
process.chdir(dirname(import.meta.dirname));
const args = process.argv.slice(2);
const projects = args[0] === 'unit' || args[0] === 'ptrace' ? [args.shift()] : ['unit', 'ptrace'];
const gates = 'LEVITATE_GATE' in process.env ? [process.env.LEVITATE_GATE] : ['1', '0'];
const passes = projects.flatMap((project) =>
  project === 'ptrace' ? gates.map((gate) => ({ project, gate })) : [{ project, gate: undefined }],
);
// The tables of system calls once more with the other architecture's ABI, where its compiler is there to make the executor.
const other = process.arch === 'arm64' ? 'x86_64' : 'aarch64';
const compiler = `${other}-linux-gnu-gcc`;
if (projects.includes('ptrace') && args.length === 0) {
  if (spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status === 0)
    passes.push({ project: 'ptrace', abi: other });
  else if (process.env.CI) throw new Error(`${compiler} is missing`);
  else console.error(`jest: ${compiler} is missing: system calls are not tested with that ABI`);
}
const scratch = mkdtempSync(join(tmpdir(), 'levitate-jest-'));
// Tests of the command run dist/, which is to be of the sources as they are; the root filesystem is built here, once, and
// not within some test's time limit.
for (const words of [
  ['src/build.mjs', 'bundles'],
  ['dist/bin/levitate-run.cjs', '--print-root'],
]) {
  const result = spawnSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.status === 0) continue;
  if (process.env.CI) process.exit(1);
  console.error(`jest: '${words.join(' ')}' failed: going on with what was there before`);
}

let executed = 0;
let failed = 0;
try {
  for (const { project, gate, abi } of passes) {
    const name = abi
      ? `the ABI of ${abi}`
      : gate === undefined
        ? project
        : `${project}, ${gate === '0' ? 'every call a stop' : 'with the gate'}`;
    console.error(`== jest ${name}`);
    const report = join(scratch, 'report.json');
    rmSync(report, { force: true });
    const options = ['--selectProjects', project, '--json', `--outputFile=${report}`, '--passWithNoTests'];
    if (project === 'ptrace') options.push('--runInBand');
    if (abi) options.push('--testPathPatterns', '/test/syscalls/');
    const result = spawnSync(process.execPath, ['--experimental-vm-modules', jest, ...options, ...args], {
      stdio: ['inherit', 'ignore', 'inherit'],
      env: {
        ...process.env,
        NODE_NO_WARNINGS: '1',
        ...(gate === undefined ? {} : { LEVITATE_GATE: gate }),
        ...(abi ? { LEVITATE_TEST_ARCH: abi } : {}),
      },
    });
    let counted = 0;
    try {
      const summary = JSON.parse(readFileSync(report, 'utf8'));
      counted = summary.numPassedTests + summary.numFailedTests;
    } catch {
      // A crash of the process (an addon's SIGSEGV) leaves no report: the status below tells.
    }
    executed += counted;
    if (result.status !== 0) {
      failed++;
      console.error(`jest ${name}: ${result.signal ? `killed by ${result.signal}` : `exit status ${result.status}`}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (executed === 0 && failed === 0) {
  console.error('jest: no test was executed');
  process.exit(1);
}
process.exit(failed ? 1 : 0);
