/** Hostile ELF files, `#!` lines and argument limits. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { E2BIG, EACCES, EFAULT, ELIBBAD, ENOENT, ENOEXEC, errno } from '../../src/abi/errno.js';
import {
  ELF64_EHDR,
  ELF64_PHDR,
  ET_DYN,
  ET_EXEC,
  PF_R,
  PF_W,
  PF_X,
  PT_INTERP,
  PT_LOAD,
} from '../../src/abi/layouts/elf.js';
import { readArguments } from '../../src/mm/exec-arguments.js';
import { prepareImage, type ImageRequest } from '../../src/mm/exec-image.js';
import { parseShebang } from '../../src/mm/script-interpreter.js';
import { anonymous, errnoOf, machine, PAGE, type Machine } from './harness.js';
import { HostFile } from './host-file.js';

const EHDR = ELF64_EHDR.offsets;
const PHDR = ELF64_PHDR.offsets;

interface Header {
  type: number;
  flags?: number;
  offset?: number;
  vaddr?: number;
  fileSize?: number;
  memorySize?: number;
  align?: number;
}

/** An x86_64 ELF file of two pages: headers, then zeros. */
function elf(headers: Header[], more: { type?: number; entry?: number; patch?: (file: Buffer) => void } = {}): Buffer {
  const file = Buffer.alloc(2 * PAGE);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(more.type ?? ET_EXEC, EHDR.e_type);
  file.writeUInt16LE(62, EHDR.e_machine);
  file.writeBigUInt64LE(BigInt(more.entry ?? 0x400000), EHDR.e_entry);
  file.writeBigUInt64LE(64n, EHDR.e_phoff);
  file.writeUInt16LE(ELF64_PHDR.size, EHDR.e_phentsize);
  file.writeUInt16LE(headers.length, EHDR.e_phnum);
  headers.forEach((header, i) => {
    const at = 64 + i * ELF64_PHDR.size;
    file.writeUInt32LE(header.type, at + PHDR.p_type);
    file.writeUInt32LE(header.flags ?? PF_R | PF_X, at + PHDR.p_flags);
    const put = (offset: number, value: number): unknown => file.writeBigUInt64LE(BigInt(value), at + offset);
    put(PHDR.p_offset, header.offset ?? 0);
    put(PHDR.p_vaddr, header.vaddr ?? 0x400000);
    put(PHDR.p_filesz, header.fileSize ?? PAGE);
    put(PHDR.p_memsz, header.memorySize ?? header.fileSize ?? PAGE);
    put(PHDR.p_align, header.align ?? PAGE);
  });
  more.patch?.(file);
  return file;
}

function request(m: Machine, content: Uint8Array, interpreter?: Uint8Array): ImageRequest {
  return {
    platform: m.platform,
    file: new HostFile(m.frames, content),
    openInterpreter: () => {
      if (interpreter === undefined) throw errno(ENOENT);
      return new HostFile(m.frames, interpreter);
    },
    argv: ['a'],
    envp: [],
    execfn: '/a',
    ids: { uid: 0, euid: 0, gid: 0, egid: 0 },
    secure: false,
    random: m.map.random,
    stackLimit: 8 << 20,
    personality: 0,
  };
}
const load: Header = { type: PT_LOAD };

describe('loader', () => {
  test('what is refused before the point of no return', () => {
    const m = machine();
    const interp = (path: string): Buffer =>
      elf([{ type: PT_INTERP, offset: 1000, fileSize: path.length }, load], {
        patch: (f) => f.write(path, 1000, 'latin1'),
      });
    const cases: [string, Uint8Array, Uint8Array | undefined, number][] = [
      ['empty', Buffer.alloc(0), undefined, ENOEXEC],
      ['short', elf([load]).subarray(0, 60), undefined, ENOEXEC],
      ['no magic', Buffer.from('hello world, this is no program'.repeat(10)), undefined, ENOEXEC],
      ['wrong type', elf([load], { type: 1 }), undefined, ENOEXEC],
      ['other machine', elf([load], { patch: (f) => f.writeUInt16LE(183, EHDR.e_machine) }), undefined, ENOEXEC],
      ['no headers', elf([]), undefined, ENOEXEC],
      [
        'headers beyond the file',
        elf([load], { patch: (f) => f.writeUInt32LE(2 * PAGE - 10, EHDR.e_phoff) }),
        undefined,
        ENOEXEC,
      ],
      [
        'headers nowhere',
        elf([load], { patch: (f) => f.fill(0xff, EHDR.e_phoff, EHDR.e_phoff + 8) }),
        undefined,
        ENOEXEC,
      ],
      ['too many headers', elf([load], { patch: (f) => f.writeUInt16LE(74, EHDR.e_phnum) }), undefined, ENOEXEC],
      ['odd header size', elf([load], { patch: (f) => f.writeUInt16LE(55, EHDR.e_phentsize) }), undefined, ENOEXEC],
      ['interpreter missing', interp('/lib/ld.so\0'), undefined, ENOENT],
      ['interpreter without NUL', interp('/lib/ld.so'), elf([load]), ENOEXEC],
      ['interpreter no ELF', interp('/lib/ld.so\0'), Buffer.alloc(100, 1), ELIBBAD],
      ['interpreter of no use', interp('/lib/ld.so\0'), elf([]), ELIBBAD],
      ['fine', interp('/lib/ld.so\0'), elf([load], { type: ET_DYN }), 0],
    ];
    for (const [name, content, interpreter, expected] of cases)
      expect([name, errnoOf(() => prepareImage(request(m, content, interpreter)))]).toEqual([name, expected]);
    expect(m.map.vmas()).toHaveLength(0);
  });
  test('bss: the tail of the file page is zeroed, whole pages are anonymous', () => {
    const m = machine();
    const content = elf([{ type: PT_LOAD, flags: PF_R | PF_W, fileSize: 5000, memorySize: 3 * PAGE + 5 }]);
    content.fill(0xee, 4500);
    const { flushes } = m.space;
    const { ip, sp } = prepareImage(request(m, content)).load(m.map);
    expect(m.space.flushes - flushes).toBe(1);
    expect([ip, sp % 16]).toEqual([0x400000, 0]);
    expect([4999, 5000, 2 * PAGE - 1, 3 * PAGE].map((at) => m.map.readU8(0x400000 + at))).toEqual([0xee, 0, 0, 0]);
    expect(
      m.map
        .vmas()
        .map((v) => [(v.start - 0x400000) / PAGE, (v.end - v.start) / PAGE, v.name])
        .slice(0, 2),
    ).toEqual([
      [0, 2, ''],
      [2, 2, ''],
    ]);
    expect(m.map.vmas().at(-1)!.name).toBe('[stack]');
    expect(m.map.vmas().at(-1)!.end - m.map.vmas().at(-1)!.start).toBe(132 * 1024);
    expect(m.map.layout.brk).toBeGreaterThanOrEqual(0x404000);
    expect(content[5000]).toBe(0xee);
  });
  test('property: whatever the bytes, it ends in an errno or in an image that can be released', () => {
    const field = fc.oneof(
      fc.constantFrom(
        0,
        1,
        PAGE,
        PAGE + 1,
        0x400000,
        0x40_0fff,
        2 ** 31,
        2 ** 47 - PAGE,
        2 ** 47,
        2 ** 52,
        2 ** 63,
        2 ** 64 - 4096,
      ),
      fc.integer({ min: 0, max: 20000 }),
    );
    const header = fc.record({
      type: fc.constantFrom(PT_LOAD, PT_LOAD, PT_LOAD, PT_INTERP, 0x6474e551, 0),
      flags: fc.integer({ min: 0, max: 7 }),
      offset: field,
      vaddr: field,
      fileSize: field,
      memorySize: field,
      align: field,
    });
    const file = fc
      .tuple(
        fc.array(header, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(ET_EXEC, ET_DYN),
        field,
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }),
      )
      .map(([headers, type, entry, noise]) =>
        elf(headers, { type, entry, patch: (f) => noise.forEach(([at, byte]) => (f[at] = byte)) }),
      );
    const interpreter = elf([load], { type: ET_DYN });
    fc.assert(
      fc.property(file, fc.boolean(), (content, asInterpreter) => {
        const m = machine({ physicalBytes: 1 << 20, limitBytes: 2 ** 32 });
        const main = elf([{ type: PT_INTERP, offset: 1000, fileSize: 3 }, load], {
          patch: (f) => f.write('/x\0', 1000),
        });
        const made = asInterpreter ? request(m, main, content) : request(m, content, interpreter);
        errnoOf(() => prepareImage(made).load(m.map));
        m.map.release();
        expect(m.account.committedBytes).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('arguments', () => {
  test('limits of one string, of all, of pointers', () => {
    const m = machine();
    const at = m.map.mmap(anonymous({ length: 16 << 20 }));
    const strings = (list: string[]): number => {
      let text = at + (8 << 20);
      list.forEach((string, i) => {
        m.map.copyOut(text, Buffer.from(`${string}\0`, 'latin1'), 0, string.length + 1);
        m.map.writeU64(at + 8 * i, text);
        text += string.length + 1;
      });
      m.map.writeU64(at + 8 * list.length, 0);
      return at;
    };
    const read = (list: string[], stack = 8 << 20): number => {
      const addr = strings(list);
      return errnoOf(() => expect(readArguments(m.map, '/x', addr, 0, stack)).toEqual({ argv: list, envp: [] }));
    };
    expect(read(['a', '', 'b\xff', 'c'.repeat(9000)])).toBe(0);
    expect(read(['x'.repeat(131071)])).toBe(0);
    expect(read(['x'.repeat(131072)])).toBe(E2BIG);
    expect(read(Array.from({ length: 20 }, () => 'y'.repeat(100_000)))).toBe(0);
    expect(read(Array.from({ length: 20 }, () => 'y'.repeat(110_000)))).toBe(E2BIG);
    expect(
      read(
        Array.from({ length: 2 }, () => 'y'.repeat(60_000)),
        0,
      ),
    ).toBe(0);
    expect(
      read(
        Array.from({ length: 3 }, () => 'y'.repeat(60_000)),
        0,
      ),
    ).toBe(E2BIG);
    expect(errnoOf(() => readArguments(m.map, '/x', 8, 0, 8 << 20))).toBe(EFAULT);
    m.map.writeU64(at, 8);
    expect(errnoOf(() => readArguments(m.map, '/x', at, 0, 8 << 20))).toBe(EFAULT);
  });
});

describe('#! lines', () => {
  const parse = (text: string): unknown => {
    let line: unknown = null;
    const head = Buffer.from(text, 'latin1');
    const error = errnoOf(() => (line = parseShebang(head, head.length)));
    return error === 0 ? line : error;
  };
  const line = (interpreter: string, argument: string | null = null) => ({ interpreter, argument });
  test('shapes', () => {
    expect(parse('#!/bin/sh\n')).toEqual(line('/bin/sh'));
    expect(parse('#! \t/bin/sh  -e  x \t\nrest')).toEqual(line('/bin/sh', '-e  x'));
    expect(parse('#!/bin/sh')).toEqual(line('/bin/sh'));
    expect(parse('#!/bin/sh -x')).toEqual(line('/bin/sh', '-x'));
    expect(parse('#!\n')).toBe(ENOEXEC);
    expect(parse('#!   \n')).toBe(ENOEXEC);
    expect(parse('#!')).toBe(EACCES);
    expect(parse('#')).toBeNull();
    expect(parse('echo')).toBeNull();
    expect(parse(`#!/${'x'.repeat(300)}\n`)).toBe(ENOEXEC);
    expect(parse(`#!/bin/sh ${'y'.repeat(300)}\n`)).toEqual(line('/bin/sh', 'y'.repeat(245)));
    expect(parse(`#!/${'x'.repeat(252)}\n`)).toEqual(line(`/${'x'.repeat(252)}`));
  });
  test('property: the host makes the same of it', () => {
    // The interpreter is a link in the working directory; what it gets is printed, NUL-separated.
    const folder = mkdtempSync(join(tmpdir(), 'levitate-script-'));
    const shown = join(folder, 'i');
    // Started as anything but `i` it runs ./s: exec functions of libraries try a shell where execve says ENOEXEC.
    writeFileSync(
      join(folder, 'show.c'),
      `#include <errno.h>
       #include <stdio.h>
       #include <string.h>
       #include <unistd.h>
       int main(int argc, char **argv) {
         char *args[] = {"./s", NULL};
         if (strcmp(argv[0], "i") != 0) { execv("./s", args); printf("%d", errno); return 0; }
         for (int i = 0; i < argc; i++) { fputs(argv[i], stdout); putchar(1); }
       }`,
    );
    expect(spawnSync('gcc', ['-static', '-o', shown, join(folder, 'show.c')]).status).toBe(0);
    const script = join(folder, 's');
    const part = fc.constantFrom('i', 'i', 'i', ' ', '\t', '-a', 'b', '\0', '\n', 'c'.repeat(120), 'd'.repeat(101));
    const gap = fc.constantFrom('', ' ', '\t ', ' '.repeat(80), ' '.repeat(255));
    const body = fc
      .tuple(gap, fc.array(part, { maxLength: 6 }))
      .map(([before, parts]) => `#!${before}${parts.join('')}`);
    fc.assert(
      fc.property(body, (text) => {
        writeFileSync(script, text, 'latin1');
        chmodSync(script, 0o755);
        const { stdout } = spawnSync('./i', [], { cwd: folder, encoding: 'latin1' });
        const own = parse(text) as { interpreter: string; argument: string | null } | number;
        if (typeof own === 'number') expect([text, stdout]).toEqual([text, String(own)]);
        else if (own.interpreter !== 'i') expect([text, stdout]).toEqual([text, String(ENOENT)]);
        else {
          const argv = ['i', ...(own.argument === null ? [] : [own.argument]), './s'];
          expect([text, stdout]).toEqual([text, argv.map((a) => `${a}\x01`).join('')]);
        }
      }),
      { numRuns: 150 },
    );
  });
});
