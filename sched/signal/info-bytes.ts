/** siginfo_t as 128 guest bytes (asm-generic/siginfo.h, the same on both architectures), both ways. */
import {
  CLD_CONTINUED,
  CLD_EXITED,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGIO,
  SIGSEGV,
  SIGTRAP,
  SI_TIMER,
} from '../../src/abi/flags/signal.js';
import { setU64 } from '../../src/abi/layout.js';
import type { SigInfo } from './siginfo.js';

export const SIGINFO_SIZE = 128;

const isFault = (signo: number): boolean =>
  signo === SIGSEGV || signo === SIGBUS || signo === SIGFPE || signo === SIGILL || signo === SIGTRAP;

/** Writes 128 bytes at `at`. */
export function writeSigInfo(view: DataView, at: number, info: SigInfo): void {
  if (info.raw !== undefined) {
    new Uint8Array(view.buffer, view.byteOffset + at, SIGINFO_SIZE).set(info.raw.subarray(0, SIGINFO_SIZE));
    view.setInt32(at, info.signo, true);
    return;
  }
  for (let i = 0; i < SIGINFO_SIZE; i += 8) setU64(view, at + i, 0);
  view.setInt32(at, info.signo, true);
  view.setInt32(at + 4, info.errno ?? 0, true);
  view.setInt32(at + 8, info.code, true);
  const address = (offset: number, value: number): void => setU64(view, at + offset, value);
  if (info.code > 0 && isFault(info.signo) && info.addr !== undefined) {
    address(16, info.addr);
    return;
  }
  if (info.code === SI_TIMER) {
    view.setInt32(at + 16, info.timerId ?? 0, true);
    view.setInt32(at + 20, info.overrun ?? 0, true);
    view.setBigInt64(at + 24, BigInt.asIntN(64, info.value ?? 0n), true);
    return;
  }
  if (info.signo === SIGIO && info.band !== undefined) {
    address(16, info.band);
    view.setInt32(at + 24, info.fd ?? 0, true);
    return;
  }
  view.setInt32(at + 16, info.pid ?? 0, true);
  view.setUint32(at + 20, info.uid ?? 0, true);
  if (info.signo === SIGCHLD && info.code >= CLD_EXITED && info.code <= CLD_CONTINUED) {
    view.setInt32(at + 24, info.status ?? 0, true);
    address(32, info.utime ?? 0);
    address(40, info.stime ?? 0);
  } else if (info.value !== undefined) view.setBigInt64(at + 24, BigInt.asIntN(64, info.value), true);
}

/** What rt_sigqueueinfo(2) got from the guest: kept raw, delivered unchanged. */
export function readSigInfo(view: DataView, at: number, signo: number): SigInfo {
  return {
    signo,
    errno: view.getInt32(at + 4, true),
    code: view.getInt32(at + 8, true),
    pid: view.getInt32(at + 16, true),
    uid: view.getUint32(at + 20, true),
    value: view.getBigInt64(at + 24, true),
    raw: new Uint8Array(view.buffer, view.byteOffset + at, SIGINFO_SIZE).slice(),
  };
}
