/** Programs loaded by src/mm and run under ptrace; the host's own execve says what they must see at their start. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errnoOf } from '../../src/abi/errno.js';
import { NR_X86_64 as NR } from '../../src/abi/numbers-x86_64.js';
import { X86 } from '../../src/abi/registers.js';
import { SystemMemory } from '../../src/mm/account.js';
import { BuddyAllocator } from '../../src/mm/buddy.js';
import { prepareImage } from '../../src/mm/exec-image.js';
import { AddressMap } from '../../src/mm/map.js';
import { STOP_NONE, STOP_SIGNAL, STOP_SYSCALL } from '../../src/platform/platform.js';
import { createPtracePlatform, type PtracePlatform } from '../../src/platform/ptrace/index.js';
import { HostFile } from './host-file.js';

const SOURCE = fileURLToPath(new URL('./guest/startup.c', import.meta.url));
const MUSL_LOADER = '/lib/ld-musl-x86_64.so.1';
const KINDS: Record<string, string[]> = {
  static: ['-static', '-no-pie', '-fno-pie'],
  'static-pie': ['-static-pie', '-fPIE'],
  dynamic: ['-pie', '-fPIE', `-Wl,--dynamic-linker=${MUSL_LOADER}`],
};
const ENOSYS = 38;

let folder = '';
let platform: PtracePlatform | null = null;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'levitate-exec-'));
  for (const [kind, flags] of Object.entries(KINDS))
    execFileSync('gcc', [
      '-O1',
      '-fno-stack-protector',
      '-nostdlib',
      '-nostartfiles',
      ...flags,
      '-o',
      join(folder, kind),
      SOURCE,
    ]);
});
afterEach(() => {
  platform?.close();
  platform = null;
});

interface Run {
  output: string;
  exit: string;
  /** Batches the load took. */
  map: AddressMap;
  stops: string[];
}

/** Runs a program to its end with the few calls that start-up makes. */
function run(path: string, argv: string[], envp: string[], personality = 0): Run {
  platform = createPtracePlatform({ physicalBytes: 64 << 20 });
  const account = new SystemMemory(Infinity);
  const frames = new BuddyAllocator(platform.physical, platform.pageSize, { account });
  const random = {
    fill: (dst: Uint8Array, offset: number, length: number) =>
      void crypto.getRandomValues(dst.subarray(offset, offset + length)),
  };
  const { space, thread } = platform.createAddressSpace();
  const map = new AddressMap({ platform, frames, space, account, random });
  const image = prepareImage({
    platform,
    file: new HostFile(frames, readFileSync(path)),
    openInterpreter: (name) => new HostFile(frames, readFileSync(name)),
    argv,
    envp,
    execfn: path,
    ids: { uid: 0, euid: 0, gid: 0, egid: 0 },
    secure: false,
    random,
    stackLimit: 8 << 20,
    personality,
  });
  const { ip, sp } = image.load(map);
  const { regs } = thread;
  regs.ip = ip;
  regs.sp = sp;
  let output = '';
  const stops: string[] = [];
  for (let steps = 0; steps < 10_000; steps++) {
    thread.resume();
    let kind = STOP_NONE;
    while (kind === STOP_NONE) kind = platform.wait(Infinity); // NONE: Node's loop has work
    if (kind === STOP_SIGNAL) {
      const { signal, address, access } = platform.stop;
      const result = map.fault(address, access, regs.sp);
      stops.push(`fault ${address.toString(16)}`);
      if (result.retry) continue;
      return { output, exit: `signal ${signal} at ${address.toString(16)} ip ${regs.ip.toString(16)}`, map, stops };
    }
    if (kind !== STOP_SYSCALL) throw new Error(`stop ${kind}`);
    const [a, b, c, d, , f] = regs.layout.args.map((word) => regs.get(word));
    stops.push(`call ${regs.nr}`);
    let result = -ENOSYS;
    try {
      if (regs.nr === NR.write) {
        const bytes = Buffer.alloc(c);
        map.copyIn(b, bytes, 0, c);
        output += bytes.toString('latin1');
        result = c;
      } else if (regs.nr === NR.exit_group) return { output, exit: `exit ${a}`, map, stops };
      else if (regs.nr === NR.brk) result = map.brk(a);
      else if (regs.nr === NR.mmap)
        result = map.mmap({ addr: a, length: b, prot: c, flags: d, file: null, offset: f, mayWrite: true });
      else if (regs.nr === NR.munmap) {
        map.munmap(a, b);
        result = 0;
      } else if (regs.nr === NR.mprotect) {
        map.mprotect(a, b, c);
        result = 0;
      } else if (regs.nr === NR.arch_prctl) {
        regs.set(X86.fs_base, b);
        result = 0;
      } else if (regs.nr === NR.set_tid_address) result = 1;
    } catch (error) {
      result = -errnoOf(error);
    }
    regs.ret = result;
  }
  throw new Error('does not end');
}

const onHost = process.arch === 'x64' ? describe : describe.skip;
onHost('loader under ptrace', () => {
  const envp = ['PATH=/bin', 'EMPTY=', 'LANG=C.\xff'];
  for (const kind of Object.keys(KINDS))
    test(`a ${kind} program finds what the host's execve gives it`, () => {
      if (kind === 'dynamic' && !existsSync(MUSL_LOADER)) return;
      const path = join(folder, kind);
      const argv = [path, 'one', 'x'.repeat(5000), ''];
      const env = Object.fromEntries(envp.map((entry) => entry.split('=')));
      const host = spawnSync(path, argv.slice(1), { env: { ...env, LANG: 'C.~' }, encoding: 'latin1' });
      expect(host.status).toBe(0);
      const mine = run(path, argv, ['PATH=/bin', 'EMPTY=', 'LANG=C.~']);
      expect(mine.exit).toBe('exit 0');
      // A vDSO is the platform's choice.
      const withoutVdso = (text: string): string => text.replace('auxv 33\n', '');
      expect(withoutVdso(mine.output)).toBe(withoutVdso(host.stdout));
    });
  test('100 KiB of stack below the first 132 KiB grow it; nothing else faults', () => {
    const { stops, map } = run(join(folder, 'static'), ['static', 'y'.repeat(100_000)], []);
    expect(stops.filter((stop) => stop.startsWith('fault'))).toEqual([]);
    const stack = map.vmas().find((vma) => vma.name === '[stack]')!;
    expect(stack.end - stack.start).toBe(Math.ceil((100_000 + 50) / 4096) * 4096 + 128 * 1024);
  });
  test('without ASLR a program lies where Linux puts it', () => {
    const { map } = run(join(folder, 'dynamic'), ['dynamic'], [], 0x40000);
    expect(map.vmas()[0].start).toBe(0x5555_5555_4000);
  });
});
