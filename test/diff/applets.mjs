#!/usr/bin/env node
// npm run diff:busybox: levitate-diff over every BusyBox applet that ends by itself (applet-table.mjs).
//
//   node test/diff/applets.mjs [--only REGEX] [--verbose]
//
// Prints applet | differences | explained. A difference is explained by a line of applets.expected.tsv: applet, call, pattern over
// the two texts, reason (`*` for any applet or call; see there). An unexplained difference, an applet in neither table and an explanation
// that explains nothing are failures. Needs what levitate-diff needs: root, or user namespaces.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUN, SKIP } from './applet-table.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const bin = join(here, '../../dist/bin');
const options = { only: null, verbose: false };
for (let args = process.argv.slice(2); args.length > 0;) {
  const arg = args.shift();
  if (arg === '--verbose') options.verbose = true;
  else if (arg === '--only' && args.length > 0) options.only = new RegExp(args.shift());
  else {
    console.error(`diff:busybox: cannot read "${arg}"; options: --only REGEX --verbose`);
    process.exit(2);
  }
}

const expected = readFileSync(join(here, 'applets.expected.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [applet, call, pattern, reason] = line.split('\t');
    return { applet, call, pattern: new RegExp(pattern), reason, used: 0 };
  });

function explain(applet, difference) {
  const text = [difference.host, difference.levitate, difference.detail, difference.problem]
    .map((part) => part ?? '')
    .join('\n');
  const found = expected.find(
    (entry) =>
      (entry.applet === '*' || entry.applet.split(',').includes(applet)) &&
      (entry.call === '*' || entry.call.split(',').includes(difference.call)) &&
      entry.pattern.test(text),
  );
  if (found !== undefined) found.used++;
  return found;
}

/** Words, quotes as a shell has them. */
const words = (text) => (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'));

function argvOf(applet, text) {
  if (text.startsWith('$ ')) return ['busybox', 'sh', '-c', `cd /tmp; ${text.slice(2)}`];
  return ['busybox', applet, ...words(text)];
}

const rootfs = spawnSync(process.execPath, [join(bin, 'levitate-run.cjs'), '--print-root'], { encoding: 'utf8' });
const applets = readFileSync(join(rootfs.stdout.trim(), 'applets'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.slice(line.lastIndexOf('/') + 1));

console.log('applet                   calls differences   explained');
const totals = { run: 0, calls: 0, same: 0, explained: 0, unexplained: 0, failed: 0, skipped: 0 };
for (const applet of applets) {
  if (options.only !== null && !options.only.test(applet)) continue;
  if (applet in SKIP) {
    totals.skipped++;
    if (options.verbose) console.log(`${applet.padEnd(18)} skipped: ${SKIP[applet]}`);
    continue;
  }
  if (!(applet in RUN)) {
    console.log(`${applet.padEnd(18)} is in neither table`);
    totals.failed++;
    continue;
  }
  const argv = argvOf(applet, RUN[applet]);
  const command = [join(bin, 'levitate-diff.cjs'), '--json', '--timeout', '20s', '--', ...argv];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'latin1', maxBuffer: 1 << 28 });
  totals.run++;
  if (status !== 0 && status !== 1) {
    console.log(`${applet.padEnd(18)} FAILED with ${status}: ${stderr.trim()}${stdout.slice(0, 300)}`);
    totals.failed++;
    continue;
  }
  const differences = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const unexplained = differences.filter((difference) => explain(applet, difference) === undefined);
  const explained = differences.length - unexplained.length;
  totals.explained += explained;
  totals.unexplained += unexplained.length;
  if (differences.length === 0) totals.same++;
  const calls = Number(/^(\d+) calls/m.exec(stderr)?.[1] ?? 0);
  totals.calls += calls;
  const figures = [calls, differences.length, explained].map((number) => String(number).padStart(12));
  if (differences.length > 0 || options.verbose) console.log(applet.padEnd(18) + figures.join(''));
  for (const { task, call, where, host, levitate, detail, problem, note } of unexplained.slice(
    0,
    options.verbose ? Infinity : 3,
  )) {
    if (problem !== undefined) console.log(`    ${problem}`);
    else console.log(`    ${call} (${where}, task ${task})\n      - ${host}\n      + ${levitate}`);
    if (detail) console.log(`      ${detail}`);
    if (note) console.log(`      note: ${note}`);
  }
}

let rotten = 0;
if (options.only === null)
  for (const { applet, call, pattern, reason, used } of expected) {
    if (used > 0 || reason.startsWith('TIMING')) continue;
    rotten++;
    console.log(`explains nothing: ${applet} ${call} ${pattern}`);
  }
const bugs = expected.filter(({ reason, used }) => used > 0 && reason.startsWith('BUG'));
for (const { applet, reason } of bugs) console.log(`${applet}: ${reason}`);
const { run, same, explained, unexplained, failed, skipped } = totals;
console.log(
  `${run} applets run, ${totals.calls} calls compared, ${same} without a difference; ${explained} differences explained, ${unexplained} not; ` +
    `${failed} failed; ${skipped} skipped`,
);
process.exit(unexplained > 0 || failed > 0 || rotten > 0 ? 1 : 0);
