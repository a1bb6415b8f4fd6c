/**
 * Loads the native addon and gives its functions types. The only place that knows where the addon lies.
 *
 * Native functions return errno numbers, byte counts or -errno and never throw.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostArea } from './platform.js';

/** One ptrace platform on the native side; see native/addon.cc. */
export interface NativeContext {
  readonly error: number;
  readonly step: string;
  readonly control: ArrayBuffer;
  readonly registers: ArrayBuffer;
  readonly batchPage: ArrayBuffer;
  /** Bytes of physical memory. */
  readonly physicalSize: number;
  /** Whether calls may be handed over without a stop; the rest of the gate has no meaning otherwise. */
  readonly gate: boolean;
  /** Address of the gate's code, and of the first channel, in every guest. */
  readonly gateAt: number;
  readonly channelsAt: number;
  /** From one channel to the next. */
  readonly channelBytes: number;
  readonly gateControl: ArrayBuffer;
  readonly arch: 'x86_64' | 'aarch64';
  readonly pageSize: number;
  readonly taskSize: number;
  readonly vdso: number;
  readonly hostAreas: readonly HostArea[];
  readonly fpArea: ArrayBuffer;
  readonly sigreturn: number;
  readonly fpSize: number;
  readonly hwcap: number;
  readonly hwcap2: number;
  readonly minsigstksz: number;

  send(): void;
  wait(): void;
  start(slot: number): void;
  interrupt(slot: number): void;
  exit(slot: number): void;
  batch(slot: number, count: number): number;
  continues(slot: number, ret: number, at: number): void;
  /** Whether nothing is left of any other thread of its process. */
  alone(slot: number): boolean;
  cloneThread(slot: number): number;
  fork(slot: number): number;
  createAddressSpace(): number;
  // Copies, FP state, CPU time, sync: arguments and results are in the control block (ptrace/layout.ts).
  read(to: Uint8Array): void;
  write(from: Uint8Array): void;
  readToPhysical(): void;
  writeFromPhysical(): void;
  cpuTime(): void;
  sync(): void;
  getFp(): void;
  setFp(): void;
  resetFp(): void;
  release(offset: number, len: number): number;
  /** Needed before physical memory is executed, unless `coherentCode`. */
  syncCode(offset: number, len: number): void;
  readonly coherentCode: boolean;
  clear(offset: number, len: number): number;
  physicalResident(): number;
  /** The first `bytes` of physical memory; its views share it. */
  viewPhysical(bytes: number): ArrayBuffer;
  /** The first `bytes` of the channels. */
  viewChannels(bytes: number): ArrayBuffer;
  poke(space: number, addr: number, bytes: Uint8Array): number;
  resident(space: number, addr: number, len: number, out: Uint8Array | undefined): number;
  rss(space: number): number;
  peakRss(space: number): number;
  collect(space: number): void;
  /** `immediates`: whether Node has some waiting. */
  arm(immediates: boolean): void;
  settle(): number;
  unpin(): void;
  close(): void;
}

/** host-io.ts's part of the addon; see native/hostio.cc, watch.cc, terminal.cc. */
export interface NativeHostIo {
  readonly clockResult: ArrayBuffer;
  clock(id: number): number;
  random(to: Uint8Array): number;
  read(fd: number, to: Uint8Array, offset: number, len: number): number;
  write(fd: number, from: Uint8Array, offset: number, len: number): number;
  getTermios(fd: number, to: Uint8Array): number;
  setTermios(fd: number, from: Uint8Array, action: number): number;
  makeRaw(fd: number, guard: string): number;
  restoreTerminal(fd: number): number;
  getWinsize(fd: number, to: Uint16Array): number;
  createWatcher(callback: (id: number, revents: number) => void): NativeWatcher;
}

export interface NativeWatcher {
  arm(id: number, fd: number, events: number): void;
  disarm(id: number): void;
  close(): void;
}

/** What a traced program of the host's is started with; strings are byte strings. See native/tracer.h. */
export interface HostLaunch {
  /** chroot(2) into this folder; '' for none. */
  root: string;
  /** CLONE_NEW* flags. */
  namespaces: number;
  /** With CLONE_NEWUSER: texts for /proc/PID/uid_map and gid_map. */
  uidMap: string;
  gidMap: string;
  /** In order, before the chroot, with CLONE_NEWNS. */
  mounts: readonly HostMount[];
  /** With CLONE_NEWUTS. */
  hostname: string;
  cwd: string;
  /** Where the program may be: the first that can be executed. */
  candidates: readonly string[];
  argv: readonly string[];
  envp: readonly string[];
  /** Soft and hard resource limits by number, one after the other; negative: as they are. */
  limits: readonly number[];
  /** What it reads from standard input, a pipe. */
  input: Uint8Array;
}

export interface HostMount {
  source: string;
  target: string;
  type: string;
  flags: number;
  data: string;
  /** A failure is no reason to stop. */
  optional: boolean;
}

/** A program of the host's, run and traced; see native/tracer.h and host-tracer.ts. */
export interface NativeHostTracer {
  readonly event: ArrayBuffer;
  /** 0 or errno, and what failed. */
  start(launch: HostLaunch): { error: number; step: string };
  next(timeoutMs: number): number;
  read(tid: number, addr: number, to: Uint8Array): number;
  output(fd: number): Buffer;
  kill(): void;
  close(): void;
}

export interface NativeAddon {
  readonly supported: boolean;
  /** `gate`: 0 none, 1 one, 2 and more one for which the supervisor always polls, and waits so many times longer. */
  createContext(stub: string, physicalBytes: number, place: boolean, gate: number): NativeContext;
  createHostIo(): NativeHostIo;
  createHostTracer(): NativeHostTracer;
}

/** The package's root folder: the nearest one above this file that holds binding.gyp. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'binding.gyp')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Folder of levitate.node, levitate-stub and levitate-guard, or null when the addon has not been built. */
export function nativeFolder(): string | null {
  const root = packageRoot();
  const candidates = [
    process.env['LEVITATE_NATIVE'],
    join(root, 'build', 'Release'),
    join(root, 'build', 'Debug'),
    join(root, 'prebuilds', `${process.platform}-${process.arch}`),
  ];
  for (const folder of candidates) if (folder && existsSync(join(folder, 'levitate.node'))) return folder;
  return null;
}

export const ADDON_MISSING = 'the native addon is missing: run `npm rebuild levitate` (needs g++, make and python3)';

/** Throws an Error with one clear line when the addon is missing or does not load. */
export function loadNative(): { addon: NativeAddon; stub: string; guard: string } {
  const folder = nativeFolder();
  if (folder === null) throw new Error(`levitate: ${ADDON_MISSING}`);
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(join(folder, 'levitate.node')) as NativeAddon;
  } catch (error) {
    const text = `levitate: the native addon does not load (${String(error)}): run \`npm rebuild levitate\``;
    throw new Error(text, { cause: error });
  }
  return { addon, stub: join(folder, 'levitate-stub'), guard: join(folder, 'levitate-guard') };
}
