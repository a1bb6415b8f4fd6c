// Archives made by the real tools from one directory tree: every format must give the same entries and contents as the
// directory itself, and as the oracle `find -printf`.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { openArchive } from '../../fs/archive/open.js';
import type { Archive } from '../../fs/archive/types.js';
import { openImage, writeImage } from '../../fs/archive/image.js';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { contentOf, describeEntries, readAll, scratch, shell } from './helpers.js';

const folder = scratch();
const source = join(folder.path, 'tree');
const LONG = 'd'.repeat(90);
const opened: Archive[] = [];

async function open(name: string): Promise<Archive> {
  const archive = await openArchive(join(folder.path, name));
  opened.push(archive);
  return archive;
}

beforeAll(() => {
  mkdirSync(source);
  shell(
    source,
    `mkdir -p a/b/c ${LONG}/${LONG}/${LONG} empty
     printf 'hello\\n' > a/file; ln a/file a/b/second; ln -s ../file a/b/link; ln -s ${LONG}/${LONG} long-link
     ln -s /absolute/elsewhere dangling; seq 1 50000 > big; : > zero; mkfifo pipe
     printf x > ${LONG}/${LONG}/${LONG}/${'f'.repeat(120)}
     printf y > $'name with \\n newline and \\xff byte'
     truncate -s 5M sparse; printf start | dd of=sparse conv=notrunc status=none; printf mid | dd of=sparse bs=1 seek=3000000 conv=notrunc status=none
     chmod 4755 a/file; chmod 1777 empty; chmod 0 zero
     find . -exec touch -h -d '2001-02-03 04:05:06.123456789Z' {} +`,
  );
  shell(
    folder.path,
    `cd tree
     tar -cf ../gnu.tar --format=gnu --numeric-owner .
     tar -cf ../gnu-sparse.tar --format=gnu --sparse --numeric-owner .
     tar -czf ../pax.tar.gz --format=pax .
     for v in 0.0 0.1 1.0; do tar -cf ../pax-sparse-$v.tar --format=pax --sparse --sparse-version=$v .; done
     find . -print0 | sort -z | cpio -0 -o -H newc --quiet > ../newc.cpio
     find . -print0 | sort -z | cpio -0 -o -H crc --quiet > ../crc.cpio
     cp ../newc.cpio ../newc.bin; gzip -k ../newc.bin`,
  );
});

afterAll(() => {
  for (const archive of opened) archive.close();
  folder.remove();
});

/** The same tree as find(1) sees it: type, mode, size, path, link. */
function oracle(): string[] {
  const types: Record<string, string> = { f: 'file', d: 'dir', l: 'symlink', p: 'fifo' };
  const lines = shell(source, "find . -printf '%y %m %U:%G %s %P -> %l\\1'").split('\x01').slice(0, -1);
  return lines
    .map((line) => {
      const [, type, mode, owner, size, path, link] = /^(\w) (\d+) (\S+) (\d+) ([^]*) -> ([^]*)$/.exec(line)!;
      return `${types[type]} ${mode} ${owner} ${type === 'd' || type === 'p' ? 0 : size} ${path}${type === 'l' ? ` -> ${link}` : ''}`;
    })
    .sort();
}

/** Hard links spelled out as the files they are, so that the result does not depend on which name came first. */
function flat(archive: Archive): string[] {
  const byPath = new Map(archive.entries.map((entry) => [entry.path, entry]));
  return describeEntries(
    archive.entries.map((entry) =>
      entry.type === 'hardlink' ? { ...byPath.get(entry.link!)!, path: entry.path } : entry,
    ),
    false,
  ).sort();
}

const ALL = [
  'tree',
  'gnu.tar',
  'gnu-sparse.tar',
  'pax.tar.gz',
  'pax-sparse-0.0.tar',
  'pax-sparse-0.1.tar',
  'pax-sparse-1.0.tar',
];
ALL.push('newc.cpio', 'crc.cpio', 'newc.bin.gz');

describe.each(ALL)('%s', (name) => {
  test('has the entries that find sees', async () => {
    const archive = await open(name);
    expect(flat(archive)).toEqual(oracle());
    expect(archive.warnings).toEqual([]);
    expect(archive.entries.filter((entry) => entry.type === 'hardlink')).toHaveLength(1);
    expect(archive.entries[0].path).toBe('');
  });

  test('has parents before children', async () => {
    const seen = new Set<string>();
    for (const { path } of (await open(name)).entries) {
      if (path.includes('/')) expect(seen).toContain(path.slice(0, path.lastIndexOf('/')));
      seen.add(path);
    }
  });

  test('gives every file its content', async () => {
    for (const entry of (await open(name)).entries) {
      if (entry.type !== 'file' || entry.mode === 0) continue;
      const expected = readFileSync(Buffer.from(`${source}/${entry.path}`, 'latin1'), 'latin1');
      expect(contentOf(entry) === expected).toBe(true);
    }
  });

  test('keeps modification times', async () => {
    const nanoseconds = /tree|pax/.test(name) ? 123456789 : 0;
    for (const entry of (await open(name)).entries) {
      expect([entry.path, entry.mtimeSec, entry.mtimeNsec]).toEqual([entry.path, 981173106, nanoseconds]);
    }
  });
});

test('sparse files report their extents, and reads at odd places agree', async () => {
  const whole = (await open('tree')).entries.find((entry) => entry.path === 'sparse')!;
  const expected = readAll(whole.data!);
  for (const name of ['gnu-sparse.tar', 'pax-sparse-0.0.tar', 'pax-sparse-0.1.tar', 'pax-sparse-1.0.tar']) {
    const { data } = (await open(name)).entries.find((entry) => entry.path === 'sparse')!;
    const extents = [...data!.extents!()];
    expect(extents.reduce((sum, extent) => sum + extent.length, 0)).toBeLessThan(100_000);
    for (const [offset, length] of [
      [0, 10],
      [3, 4096],
      [2_999_990, 20],
      [5 * 2 ** 20 - 5, 100],
      [5 * 2 ** 20, 1],
      [4096, 2_995_905],
    ]) {
      const dst = Buffer.alloc(length + 2, 0xee);
      const count = data!.read(dst, 1, offset, length);
      expect(count).toBe(Math.max(0, Math.min(length, expected.length - offset)));
      expect(dst.subarray(1, 1 + count).equals(expected.subarray(offset, offset + count))).toBe(true);
      expect([dst[0], dst[1 + count]]).toEqual([0xee, 0xee]);
    }
  }
});

test('an image holds the same again', async () => {
  const image = join(folder.path, 'image');
  mkdirSync(image);
  const original = await open('pax.tar.gz');
  writeImage(image, original.entries);
  const archive = openImage(image);
  opened.push(archive);
  expect(describeEntries(archive.entries)).toEqual(describeEntries(original.entries));
  for (const [index, entry] of archive.entries.entries()) {
    if (entry.type === 'file') expect(readAll(entry.data!).equals(readAll(original.entries[index].data!))).toBe(true);
  }
  expect((await openArchive(image)).format).toBe('image');
});

test('an image with a damaged part is refused', async () => {
  const image = join(folder.path, 'broken');
  mkdirSync(image);
  writeImage(image, (await open('tree')).entries);
  writeFileSync(join(image, 'data'), 'short');
  expect(() => openImage(image)).toThrow(/broken: the data file has 5 bytes instead of/);
  writeFileSync(join(image, 'levitate-image.json'), '{"magic":');
  expect(() => openImage(image)).toThrow(/no readable image index/);
});

test('extended attributes of pax archives', async () => {
  shell(
    folder.path,
    `mkdir x; touch x/f; tar -cf xattr.tar --format=pax --pax-option='SCHILY.xattr.user.note:=some value' x`,
  );
  const entry = (await open('xattr.tar')).entries.find(({ path }) => path === 'x/f')!;
  expect(Buffer.from(entry.xattrs!.get('user.note')!).toString()).toBe('some value');
});

test('several cpio archives one after the other are one tree', async () => {
  shell(
    folder.path,
    `mkdir y; cd y; echo 1 > a; echo a | cpio -o -H newc --quiet > ../one; echo 2 > a; echo 3 > b
    printf 'a\\nb\\n' | cpio -o -H newc --quiet > ../two; cat ../one /dev/null <(head -c 1000 /dev/zero) ../two <(head -c 99 /dev/zero) > ../both.cpio`,
  );
  const archive = await open('both.cpio');
  expect(archive.entries.map((entry) => entry.path)).toEqual(['', 'a', 'b']);
  expect(contentOf(archive.entries[1])).toBe('2\n');
});

test('what the host has for itself is left out of a directory, with a word about it', async () => {
  const dev = await openArchive('/dev');
  opened.push(dev);
  const paths = dev.entries.map((entry) => entry.path);
  expect(paths).toContain('pts');
  expect(paths.filter((path) => path.startsWith('pts/'))).toEqual([]);
  expect(paths).not.toContain('null');
  expect(dev.warnings).toContain("/dev/pts left empty: it is the host's own devpts");
  expect(dev.warnings).toContain('/dev/null left out: a device node of the host');
});
