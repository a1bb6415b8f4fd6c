/** Host services: watches, non-blocking reads and writes, terminal modes and their restoration, clocks, randomness. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, HostIo, POLLIN, POLLOUT, TERMIOS_SIZE } from '../../src/platform/host-io.js';
import { nativeFolder } from '../../src/platform/native.js';

const script = join(dirname(fileURLToPath(import.meta.url)), 'supervisor.mjs');
const fds: number[] = [];
let io: HostIo;
let folder: string;

beforeEach(() => {
  io = new HostIo();
  folder = mkdtempSync(join(tmpdir(), 'levitate-io-'));
});
afterEach(() => {
  io.close();
  for (const fd of fds.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Both ends of a fifo, blocking ones. */
function pipe(): { read: number; write: number } {
  const path = join(folder, `fifo${fds.length}`);
  execFileSync('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR);
  const read = openSync(path, constants.O_RDONLY);
  const write = openSync(path, constants.O_WRONLY);
  closeSync(both);
  fds.push(read, write);
  return { read, write };
}

function terminal(): number {
  const fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
  fds.push(fd);
  return fd;
}

const lflag = (termios: Uint8Array): number => new DataView(termios.buffer).getUint32(12, true);
const ECHO = 8;
const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('host io', () => {
  test('clocks agree with Node and allocate nothing', () => {
    io.clock(CLOCK_REALTIME);
    expect(Math.abs(io.time[0] * 1000 + io.time[1] / 1e6 - Date.now())).toBeLessThan(50);
    io.clock(CLOCK_MONOTONIC);
    const mono = BigInt(io.time[0]) * 1_000_000_000n + BigInt(io.time[1]);
    expect(Number(process.hrtime.bigint() - mono)).toBeLessThan(50e6);
    expect(() => io.clock(999)).toThrow('EINVAL');
  });

  test('randomness', () => {
    const bytes = new Uint8Array(64);
    io.fillRandom(bytes);
    expect(new Set(bytes).size).toBeGreaterThan(16);
  });

  test('reads and writes never block', () => {
    const p = pipe();
    const buffer = new Uint8Array(100_000);
    expect(io.readSome(p.read, buffer, 0, 10)).toBe(-11);
    let total = 0;
    for (;;) {
      const done = io.writeSome(p.write, buffer, 0, buffer.length);
      if (done === -11) break;
      expect(done).toBe(4096);
      total += done;
    }
    expect(total).toBe(65536);
    expect(io.readSome(p.read, buffer, 0, buffer.length)).toBe(65536);
    expect(io.writeSome(p.write, buffer, 99_998, 2)).toBe(2);
    expect(io.writeSome(p.write, buffer, 99_998, 3)).toBe(-22);
    expect(io.readSome(9999, buffer, 0, 1)).toBe(-9);
  });

  test('end of file and a broken pipe', () => {
    const p = pipe();
    closeSync(fds.pop()!);
    expect(io.readSome(p.read, new Uint8Array(1), 0, 1)).toBe(0);
    const q = pipe();
    closeSync(fds.splice(fds.indexOf(q.read), 1)[0]);
    expect(io.writeSome(q.write, new Uint8Array(1), 0, 1)).toBe(-32);
  });

  test('watches are one-shot and can be stopped', async () => {
    const p = pipe();
    const seen: number[] = [];
    const watch = io.watch(p.read, POLLIN, (revents) => seen.push(revents));
    await turn(20);
    expect(seen).toEqual([]);
    writeSync(p.write, 'x');
    await turn(30);
    expect(seen).toEqual([POLLIN]);
    await turn(20);
    expect(seen.length).toBe(1);
    watch.arm();
    await turn(20);
    expect(seen.length).toBe(2);
    watch.arm();
    watch.stop();
    watch.arm();
    await turn(20);
    expect(seen.length).toBeLessThanOrEqual(3);
    const writable: number[] = [];
    const out = io.watch(p.write, POLLOUT, (revents) => writable.push(revents));
    await turn(20);
    expect(writable).toEqual([POLLOUT]);
    out.stop();
  });

  test('terminal modes', () => {
    const fd = terminal();
    expect(io.isatty(fd)).toBe(true);
    expect(io.isatty(pipe().read)).toBe(false);
    expect(io.getTermios(pipe().read)).toBe(null);
    const before = io.getTermios(fd)!;
    expect(before.length).toBe(TERMIOS_SIZE);
    expect(lflag(before) & ECHO).toBe(ECHO);
    expect(io.makeRaw(fd)).toBe(0);
    expect(io.makeRaw(fd)).toBe(0);
    expect(lflag(io.getTermios(fd)!) & ECHO).toBe(0);
    expect(io.restore(fd)).toBe(0);
    expect(io.getTermios(fd)).toEqual(before);
    expect(io.restore(fd)).toBe(0);
    const changed = before.slice();
    changed[17] = 7;
    expect(io.setTermios(fd, changed)).toBe(0);
    expect(io.getTermios(fd)![17]).toBe(7);
    expect(io.makeRaw(pipe().read)).toBe(25);
    expect(io.getWinsize(fd)).toMatchObject({ rows: 0, columns: 0 });
    expect(io.getWinsize(pipe().read)).toBe(null);
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)('a raw terminal is restored after %s', async (signal) => {
    const fd = terminal();
    const before = io.getTermios(fd)!;
    const native = nativeFolder()!;
    const args = [script, join(native, 'levitate.node'), '-', 'raw', join(native, 'levitate-guard')];
    const child = spawn(process.execPath, args, {
      stdio: [fd, 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const ended = new Promise((resolve) => child.on('exit', (_, by) => resolve(by)));
    const line = await new Promise<string>((resolve) =>
      child.stdout!.once('data', (data: Buffer) => resolve(data.toString())),
    );
    expect(line).toBe('ready 0\n');
    expect(lflag(io.getTermios(fd)!) & ECHO).toBe(0);
    child.kill(signal);
    expect(await ended).toBe(signal);
    for (let i = 0; i < 200 && Buffer.compare(io.getTermios(fd)!, before) !== 0; i++) await turn(5);
    expect(io.getTermios(fd)).toEqual(before);
  });
});
