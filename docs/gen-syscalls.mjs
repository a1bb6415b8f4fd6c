// Writes docs/syscalls.md from the rows: `node docs/gen-syscalls.mjs [--check]`. With --check, writes nothing and fails when
// the page is out of date. The rows are TypeScript, so esbuild bundles them into memory first.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = fileURLToPath(new URL('syscalls.md', import.meta.url));

const bundle = await build({
  entryPoints: [`${root}syscalls/table.ts`],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'error',
  external: ['*.node'],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(process.cwd() + '/');" },
});
const source = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
const { AREAS } = await import(`data:text/javascript;base64,${source}`);

const KINDS = ['full', 'partial', 'stub', 'absent'];
const kindOf = ({ disposition }) =>
  typeof disposition === 'string' ? disposition : KINDS.find((kind) => kind in disposition);
const noteOf = ({ disposition }) => {
  if (typeof disposition === 'string') return '';
  return 'absent' in disposition ? '' : (disposition.partial ?? disposition.stub);
};
const nr = (row, arch) => row.numbers[arch] ?? '';

const rows = Object.values(AREAS).flat();
const lines = [
  '# System calls',
  '',
  'Generated from the rows in `syscalls/` by `npm run docs:syscalls`; do not edit. Every number that Linux 6.18 assigns on either',
  'ABI is here. *full*: as Linux, as far as its tests against the host show. *partial*: what is missing stands beside it. *stub*:',
  'answers without doing the work, for the reason given, and is counted in the exit report. *absent*: fails as in a kernel built',
  'without it.',
  '',
  '| ABI | full | partial | stub | absent | all |',
  '| --- | ---: | ---: | ---: | ---: | ---: |',
];
for (const arch of ['x86_64', 'aarch64']) {
  const mine = rows.filter((row) => row.numbers[arch] !== undefined);
  const counts = KINDS.map((kind) => mine.filter((row) => kindOf(row) === kind).length);
  lines.push(`| ${arch} | ${counts.join(' | ')} | ${mine.length} |`);
}
for (const [area, list] of Object.entries(AREAS)) {
  lines.push('', `## ${area}`, '', '| call | x86_64 | aarch64 | | |', '| --- | ---: | ---: | --- | --- |');
  for (const row of list) {
    const call = `${row.name}(${row.args.flatMap((arg) => (arg.kind === 'unused' ? [] : [arg.name])).join(', ')})`;
    lines.push(`| \`${call}\` | ${nr(row, 'x86_64')} | ${nr(row, 'aarch64')} | ${kindOf(row)} | ${noteOf(row)} |`);
  }
}
const text = `${lines.join('\n')}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
} else {
  let current = '';
  try {
    current = readFileSync(page, 'utf8');
  } catch {
    // Missing: out of date.
  }
  if (current !== text) {
    console.error('docs/syscalls.md is out of date: run npm run docs:syscalls');
    process.exit(1);
  }
}
