/** What a recording tells of files: their bytes as they were first read, in memory that does not grow with them. */
import { expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FileFacts } from '../../src/replay/files.js';
import { LineReader } from '../../src/trace/parse/line.js';

const collect = (setFlagsFromString('--expose-gc'), runInNewContext('gc') as () => void);
function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
function learned(lines: Iterable<string>): FileFacts {
  const facts = new FileFacts('x86_64');
  const reader = new LineReader();
  for (const line of lines) {
    const event = reader.read(line)!;
    facts.learn(event, event.kind === 'call' ? event.args : '');
  }
  return facts;
}
function contents(facts: FileFacts): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { path, data } of facts.archive('test').entries) {
    if (data === undefined) continue;
    const bytes = Buffer.alloc(data.size);
    data.read(bytes, 0, 0, data.size);
    texts.set(path, bytes.toString('latin1'));
  }
  return texts;
}

const MEGABYTE = 1 << 20;
/** Every file has its own contents, which are read twice. */
function* reads(files: number): Generator<string> {
  for (let i = 0; i < 2 * files; i++) {
    const name = i % files;
    yield `openat(AT_FDCWD, "/data/${name}", O_RDONLY) = 3`;
    yield `read(3, "${String(name).padEnd(MEGABYTE, 'x')}", ${MEGABYTE}) = ${MEGABYTE}`;
    yield `read(3, "end", ${MEGABYTE}) = 3`;
    yield 'close(3) = 0';
  }
}

test('more contents than there is memory for', () => {
  const before = held();
  const facts = learned(reads(150));
  try {
    expect(held() - before).toBeLessThan(30e6);
    const texts = contents(facts);
    for (const name of [0, 1, 77, 149])
      expect(texts.get(`data/${name}`) === `${String(name).padEnd(MEGABYTE, 'x')}end`).toBe(true);
  } finally {
    facts.close();
  }
});

test('pieces in any order, and what is read again', () => {
  const facts = learned([
    'openat(AT_FDCWD, "/f", O_RDONLY) = 3',
    'pread64(3, "world", 5, 6) = 5',
    'pread64(3, "hello ", 6, 0) = 6',
    'pread64(3, "world", 5, 6) = 5',
    'read(3, "hello world", 100) = 11',
    'openat(AT_FDCWD, "/f", O_WRONLY) = 4',
    'write(4, "HELLO", 5) = 5',
    'pread64(3, "HELLO", 5, 0) = 5',
  ]);
  expect(contents(facts).get('f')).toBe('hello world');
  facts.close();
});
