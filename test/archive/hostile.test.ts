// Archives that lie. Each gives a clean tree or an ArchiveError that names the archive and the place; never a host
// file, a hang, or memory in proportion to what a header claims.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkfifoLike, withFiles } from './host-fixtures.js';
import { openArchive, readArchive } from '../../fs/archive/open.js';
import { readCpio } from '../../fs/archive/cpio.js';
import { readTar } from '../../fs/archive/tar.js';
import { ArchiveError, type ByteSource } from '../../fs/archive/types.js';
import { contentOf, cpio, pax, readAll, tar, type TarEntry } from './helpers.js';

const S_IFREG = 0o100644;
const S_IFDIR = 0o040755;
const S_IFLNK = 0o120777;

function paths(bytes: Uint8Array): string[] {
  return readArchive('evil', bytes).entries.map((entry) => entry.path);
}

describe('names', () => {
  const cases: [name: string, expected: string[]][] = [
    ['/etc/passwd', ['', 'etc', 'etc/passwd']],
    ['../../../etc/passwd', ['', 'etc', 'etc/passwd']],
    ['./a/./b//c', ['', 'a', 'a/b', 'a/b/c']],
    ['a/../../b', ['', 'a', 'b']],
    ['//////x', ['', 'x']],
  ];
  test.each(cases)('%s stays inside', (name, expected) => {
    expect(paths(cpio([{ name, mode: S_IFREG, data: 'x' }]))).toEqual(expected);
    expect(paths(tar([{ name, data: 'x' }]))).toEqual(expected);
  });

  test.each(['..', 'a/..', '/..'])('a file called %s is refused', (name) => {
    expect(() => paths(tar([{ name, data: 'x' }]))).toThrow(/^evil: .* \(at byte 0\)$/);
  });

  test('a NUL inside a name', () => {
    expect(() => paths(cpio([{ name: 'a\0b', mode: S_IFREG }]))).toThrow(/evil: .*a\\x00b.*NUL byte \(at byte 0\)/);
    expect(() => paths(tar([{ name: 'p', type: 'x', data: pax({ path: 'a\0b' }) }, { name: 'x' }]))).toThrow(
      /NUL byte/,
    );
  });

  test('components and depths that no filesystem has', () => {
    expect(() => paths(cpio([{ name: 'x'.repeat(256), mode: S_IFREG }]))).toThrow(/256 bytes/);
    expect(() => paths(cpio([{ name: 'x/'.repeat(1500) + 'x', mode: S_IFREG }]))).toThrow(/1501 components/);
  });

  test('error messages hold no control characters', () => {
    expect(() => paths(cpio([{ name: '\x1b[2Jevil\0', mode: S_IFREG }]))).toThrow(/\\x1b\[2Jevil\\x00/);
  });
});

describe('links', () => {
  test('a symbolic link cannot lead entries out of the tree', () => {
    const entries: TarEntry[] = [
      { name: 'out', type: '2', link: '/../../etc' },
      { name: 'out/passwd', data: 'evil' },
    ];
    const archive = readArchive('evil', tar(entries));
    expect(archive.entries.map((entry) => entry.path)).toEqual(['', 'out', 'etc', 'etc/passwd']);
  });

  test('entries below a link to a directory of the tree land there', () => {
    const entries: TarEntry[] = [
      { name: 'usr/lib/', type: '5' },
      { name: 'lib', type: '2', link: 'usr/lib' },
      { name: 'lib/libc.so', data: 'elf' },
    ];
    expect(paths(tar(entries))).toEqual(['', 'usr', 'usr/lib', 'usr/lib/libc.so', 'lib']);
  });

  test('link cycles and exponential chains', () => {
    const cycle: TarEntry[] = [
      { name: 'a', type: '2', link: 'b' },
      { name: 'b', type: '2', link: 'a' },
      { name: 'a/x' },
    ];
    expect(() => paths(tar(cycle))).toThrow(/too many symbolic links/);
    const chain: TarEntry[] = [
      { name: 'd/', type: '5' },
      { name: 'l0', type: '2', link: 'd' },
    ];
    for (let n = 1; n < 39; n++) chain.push({ name: `l${n}`, type: '2', link: `l${n - 1}/../l${n - 1}/../l${n - 1}` });
    expect(() => paths(tar([...chain, { name: 'l38/x' }]))).toThrow(/too many symbolic links/);
  });

  test('hard links to nothing, to a directory, to themselves, out', () => {
    expect(() => paths(tar([{ name: 'a', type: '1', link: 'b' }]))).toThrow(
      /hard link 'a' to 'b', which is not there \(at byte 0\)/,
    );
    expect(() =>
      paths(
        tar([
          { name: 'd/', type: '5' },
          { name: 'a', type: '1', link: 'd' },
        ]),
      ),
    ).toThrow(/hard link 'a' to a directory/);
    expect(() => paths(tar([{ name: 'a', type: '1', link: 'a' }]))).toThrow(/not there/);
    expect(() => paths(tar([{ name: 'a', type: '1', link: '../../etc/passwd' }]))).toThrow(/not there/);
  });

  test('a symbolic link without a target', () => {
    expect(() => paths(tar([{ name: 'a', type: '2', link: '' }]))).toThrow(/bad target/);
    expect(() => paths(cpio([{ name: 'a', mode: S_IFLNK, data: 'x\0y' }]))).toThrow(/bad target/);
  });
});

describe('trees', () => {
  test('the last of two entries of one name counts', () => {
    const archive = readArchive(
      'evil',
      tar([
        { name: 'a', data: 'first' },
        { name: './a', data: 'second' },
      ]),
    );
    expect(archive.entries.map((entry) => entry.path)).toEqual(['', 'a']);
    expect(contentOf(archive.entries[1])).toBe('second');
  });

  test('a hard link keeps the content of a name that is replaced later', () => {
    const archive = readArchive(
      'evil',
      tar([
        { name: 'a', data: 'old' },
        { name: 'b', type: '1', link: 'a' },
        { name: 'a', data: 'new' },
      ]),
    );
    expect(archive.entries.map((entry) => [entry.path, entry.type === 'file' ? contentOf(entry) : entry.type])).toEqual(
      [
        ['', 'dir'],
        ['b', 'old'],
        ['a', 'new'],
      ],
    );
  });

  test('a file used as a directory', () => {
    expect(() =>
      paths(
        tar([
          { name: 'f', data: 'x' },
          { name: 'f/g', data: 'y' },
        ]),
      ),
    ).toThrow(/'f' is a file, not a directory \(at byte 1024\)/);
    expect(() =>
      paths(
        cpio([
          { name: 'f', mode: S_IFREG },
          { name: 'f/g/h', mode: S_IFREG },
        ]),
      ),
    ).toThrow(/'f' is a file, not a directory/);
  });

  test('a directory with entries that turns into a file', () => {
    expect(() =>
      paths(
        tar([
          { name: 'd/e', data: 'x' },
          { name: 'd', data: 'y' },
        ]),
      ),
    ).toThrow(/was a directory with entries/);
  });

  test('a file as the root directory', () => {
    expect(() => paths(tar([{ name: './', data: 'x', type: '2', link: 'x' }]))).toThrow(
      /the root directory as a symlink/,
    );
  });

  test('device nodes are entries, not nodes of the host', () => {
    const [, node] = readArchive('evil', tar([{ name: 'sda', type: '4', mode: 0o666, dev: [8, 0] }])).entries;
    expect([node.type, node.rdevMajor, node.rdevMinor, node.mode]).toEqual(['block', 8, 0, 0o666]);
    const [, other] = readArchive('evil', cpio([{ name: 'mem', mode: 0o020600, rdev: [1, 1] }])).entries;
    expect([other.type, other.rdevMajor, other.rdevMinor]).toEqual(['char', 1, 1]);
  });

  test('more entries than allowed', () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ name: `f${n}` }));
    expect(() => readArchive('evil', tar(many), { maxEntries: 10 })).toThrow(/more than 10 entries/);
    expect(() => readArchive('evil', tar([{ name: 'a/'.repeat(20) + 'f' }]), { maxEntries: 10 })).toThrow(
      /more than 10 entries/,
    );
  });
});

describe('sizes', () => {
  test('a size beyond the file', () => {
    expect(() => paths(tar([{ name: 'a', size: 8 * 2 ** 30 - 1, data: 'x' }]))).toThrow(
      /'a' claims 8589934591 bytes but the archive ends after 1536/,
    );
    expect(() => paths(cpio([{ name: 'a', mode: S_IFREG, data: 'x', size: 0xfffffff0 }]))).toThrow(
      /'a' claims 4294967280 bytes/,
    );
    const base256 = Buffer.from([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    expect(() => paths(tar([{ name: 'a', rawSize: base256 }]))).toThrow(/size out of range/);
    expect(() => paths(tar([{ name: 'a', rawSize: Buffer.alloc(12, 0xff) }]))).toThrow(/negative size/);
    expect(() => paths(tar([{ name: 'p', type: 'x', data: pax({ size: '99999999999' }) }, { name: 'a' }]))).toThrow(
      /claims 99999999999 bytes/,
    );
  });

  test('a 10 GB hole costs nothing', () => {
    const size = 10 * 2 ** 30;
    const map = `1\n${size - 3}\n3\n`;
    const data = Buffer.concat([Buffer.from(map.padEnd(512, '\0')), Buffer.from('end')]);
    const records = {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'hole',
      'GNU.sparse.realsize': String(size),
    };
    const [, entry] = readArchive(
      'evil',
      tar([
        { name: 'p', type: 'x', data: pax(records) },
        { name: 'x', data },
      ]),
    ).entries;
    expect([entry.path, entry.size]).toEqual(['hole', size]);
    const dst = Buffer.alloc(5, 1);
    expect(entry.data!.read(dst, 0, size - 5, 100)).toBe(5);
    expect(dst.toString('latin1')).toBe('\0\0end');
    expect([...entry.data!.extents!()]).toEqual([{ offset: size - 3, length: 3 }]);
  });

  test.each([
    ['beyond the file', '1\n99\n3\n', 100],
    ['more than is stored', '1\n0\n4000\n', 5000],
    ['out of order', '2\n50\n5\n10\n5\n', 100],
    ['overlapping', '2\n0\n20\n10\n5\n', 100],
    ['not numbers', 'x\n', 100],
    ['negative', '1\n-5\n3\n', 100],
    ['cut off', '3\n0\n1\n', 100],
  ])('a sparse map %s', (_what, map, size) => {
    const data = Buffer.concat([Buffer.from(map.padEnd(512, '\0')), Buffer.alloc(30, 0x61)]);
    const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': String(size) };
    expect(() =>
      paths(
        tar([
          { name: 'p', type: 'x', data: pax(records) },
          { name: 'x', data },
        ]),
      ),
    ).toThrow(/sparse map/);
  });

  test('an endless old-style sparse map', () => {
    const bytes = tar([{ name: 'x', type: 'S', patch: (header) => header.fill(1, 482, 483) }], false);
    expect(() => paths(bytes)).toThrow(/truncated sparse map/);
  });

  test('a pax header of half a gigabyte is not read', () => {
    const source: ByteSource = {
      size: 2 ** 30,
      read: (dst, dstOffset, offset, length) => {
        const header = tar([{ name: 'p', type: 'x', size: 2 ** 29 }], false);
        if (offset === 0) dst.set(header.subarray(0, length), dstOffset);
        return length;
      },
    };
    expect(() => readTar('evil', source)).toThrow(/extended header of 536870912 bytes/);
  });
});

describe('damage', () => {
  const good = {
    tar: tar([
      { name: 'p', type: 'x', data: pax({ mtime: '1.5', path: 'renamed' }) },
      { name: 'a/b', data: 'hello' },
      { name: 'l', type: '2', link: 'a' },
    ]),
    cpio: cpio([
      { name: 'd', mode: S_IFDIR },
      { name: 'd/f', mode: S_IFREG, data: 'hello' },
      { name: 'l', mode: S_IFLNK, data: 'd/f' },
    ]),
  };

  test.each(['tar', 'cpio'] as const)('%s cut at every length', (kind) => {
    for (let length = 0; length < good[kind].length; length++) {
      try {
        readArchive('cut', good[kind].subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(ArchiveError);
        expect((error as Error).message).toMatch(/^cut: .*\(at byte \d+\)$/);
      }
    }
  });

  test.each(['tar', 'cpio'] as const)('%s with bytes changed: an error or a clean tree', (kind) => {
    const change = fc.tuple(fc.nat(good[kind].length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.boolean(), (changes, mend) => {
        const bytes = Buffer.from(good[kind]);
        for (const [at, value] of changes) bytes[at] = value;
        if (mend && kind === 'tar') mendChecksums(bytes);
        checkClean(() => readArchive('fuzz', bytes).entries);
      }),
      { numRuns: 3000 },
    );
  });

  test('random bytes behind each magic', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, asTar) => {
        const source = Buffer.concat([Buffer.from(asTar ? '' : '070701'), bytes]);
        checkClean(() => (asTar ? readTar : readCpio)('fuzz', { size: source.length, read: reader(source) }).entries);
      }),
      { numRuns: 1000 },
    );
  });

  test('hexadecimal fields that are not', () => {
    const bytes = Buffer.from(good.cpio);
    bytes.write('0x', 14);
    expect(() => paths(bytes)).toThrow(/not hexadecimal \(at byte 0\)/);
  });

  test('names of impossible lengths', () => {
    expect(() => paths(cpio([{ name: 'a', mode: S_IFREG, namesize: 0 }]))).toThrow(/name of 0 bytes/);
    expect(() => paths(cpio([{ name: 'a', mode: S_IFREG, namesize: 0xffffffff }]))).toThrow(/name of 4294967295 bytes/);
    expect(() => paths(cpio([{ name: 'abcdef', mode: S_IFREG, namesize: 3 }]))).toThrow(/without its final NUL/);
  });

  test('a file type that does not exist', () => {
    expect(() => paths(cpio([{ name: 'a', mode: 0o170644 }]))).toThrow(/unknown file type 0170000/);
  });
});

describe('hosts', () => {
  test('what is no archive is named', async () => {
    await withFiles(async (folder, write) => {
      await expect(openArchive(write('text', 'just text'))).rejects.toThrow(/text: not a root filesystem: expected/);
      await expect(openArchive(write('xz', '\xfd7zXZ\0'))).rejects.toThrow(/unpack it with xz -d/);
      await expect(openArchive(write('empty', ''))).rejects.toThrow(/not a root filesystem/);
      await expect(openArchive(write('gz', '\x1f\x8bgarbage'))).rejects.toThrow(/gz: damaged gzip data/);
      await expect(openArchive(`${folder}/missing`)).rejects.toThrow(/ENOENT/);
      await expect(openArchive(mkfifoLike(folder))).rejects.toThrow(/neither a directory nor a regular file/);
      await expect(openArchive('/dev/null')).rejects.toThrow(/neither a directory nor a regular file/);
    });
  });

  test('a compression bomb stops at the limit', async () => {
    await withFiles(async (_folder, _write, run) => {
      const bomb = run('head -c 50000000 /dev/zero | gzip -1 > bomb.gz; echo bomb.gz');
      await expect(openArchive(bomb, { maxUnpackedBytes: 1_000_000 })).rejects.toThrow(
        /unpacks to more than 1000000 bytes/,
      );
    });
  });

  test('a directory whose file is replaced by a link gives an error, not the target', async () => {
    await withFiles(async (folder, write, run) => {
      write('secret', 'secret');
      run('mkdir root; echo inside > root/f; ln -s /etc/passwd root/link; mkfifo root/pipe');
      const archive = await openArchive(`${folder}/root`);
      expect(archive.entries.map((entry) => [entry.path, entry.type])).toEqual([
        ['', 'dir'],
        ['f', 'file'],
        ['link', 'symlink'],
        ['pipe', 'fifo'],
      ]);
      run('rm root/f; ln -s ../secret root/f');
      expect(() => readAll(archive.entries[1].data!)).toThrow(/ELOOP/);
      run('rm root/f; mkfifo root/f');
      expect(() => readAll(archive.entries[1].data!)).toThrow(/no longer a regular file/);
      archive.close();
    });
  });
});

function reader(bytes: Buffer): ByteSource['read'] {
  return (dst, dstOffset, offset, length) =>
    bytes.copy(dst, dstOffset, offset, Math.min(offset + length, bytes.length));
}

function mendChecksums(bytes: Buffer): void {
  for (const at of [0, 1024]) {
    bytes.fill(0x20, at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 8, 'latin1');
  }
}

function checkClean(read: () => readonly import('../../fs/archive/types.js').ArchiveEntry[]): void {
  let entries;
  try {
    entries = read();
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return;
  }
  const seen = new Map<string, string>();
  for (const entry of entries) {
    if (seen.has(entry.path)) throw new Error(`'${entry.path}' twice`);
    if (entry.path !== '') {
      const parts = entry.path.split('/');
      if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
        throw new Error(`name '${entry.path}'`);
      if (seen.get(parts.slice(0, -1).join('/')) !== 'dir') throw new Error(`'${entry.path}' without its directory`);
    }
    if (entry.type === 'hardlink' && !seen.has(entry.link!))
      throw new Error(`hard link '${entry.path}' before its target`);
    if ((entry.mode & ~0o7777) !== 0 || entry.size < 0 || !Number.isSafeInteger(entry.size))
      throw new Error(`metadata of '${entry.path}'`);
    seen.set(entry.path, entry.type);
    if (entry.data) entry.data.read(new Uint8Array(64), 0, Math.max(0, entry.size - 32), 64);
  }
}
