/**
 * Says in one line why this host cannot run guests, and which setting to change.
 *
 * Static checks first; then the native set-up itself is the probe: it names the step that failed, and the step and the
 * errno together name the cause.
 */
import { KNOWN_HOST } from '../../abi/host-arch.js';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { loadNative, type NativeContext } from '../native.js';
import { errnoName } from './errors.js';

const EPERM = 1;
const EIO = 5;
const EACCES = 13;
const EINVAL = 22;
const ENOSYS = 38;
const GIB = 2 ** 30;

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function staticProblem(): string | null {
  if (process.platform !== 'linux') return `runs on Linux only, this is ${process.platform}`;
  if (KNOWN_HOST === undefined) return `runs on x86_64 and aarch64 only, this is ${process.arch}`;
  if (readText('/proc/sys/kernel/yama/ptrace_scope').trim() === '3')
    return 'ptrace is switched off: kernel.yama.ptrace_scope is 3 (set it to 0, 1 or 2 at boot; it cannot be lowered later)';
  if (readText('/proc/self/stat') === '') return '/proc is not mounted';
  return null;
}

/** What a failed set-up step means, with the setting to change. */
export function explain(step: string, error: number): string {
  const name = errnoName(error);
  const seccomp = /^Seccomp:\s*[12]/m.test(readText('/proc/self/status'));
  const denied = error === EPERM || error === EACCES || error === ENOSYS;
  if (step === 'seize' && denied) {
    const scope = readText('/proc/sys/kernel/yama/ptrace_scope').trim();
    if (scope === '2')
      return 'ptrace needs CAP_SYS_PTRACE here: kernel.yama.ptrace_scope is 2 (set it to 1, or run as root)';
    if (seccomp)
      return `ptrace is refused (${name}) by this container's seccomp profile: start it with --cap-add=SYS_PTRACE or --security-opt seccomp=unconfined`;
    return `ptrace is refused (${name}): a security module or a debugger that traces this process forbids it`;
  }
  if (step === 'sysemu' && (error === EIO || error === EINVAL || error === ENOSYS))
    return 'this kernel has no PTRACE_SYSEMU (x86_64: any kernel, aarch64: 5.3 or later; not under gVisor or qemu-user)';
  if (step === 'spawn') {
    if (error === EACCES)
      return 'levitate-stub cannot be executed: the file system of the package is mounted noexec or its mode is not 755';
    if (error === ENOSYS || error === EPERM)
      return `starting a process is refused (${name})${seccomp ? " by this container's seccomp profile" : ''}`;
  }
  if (step === 'seccomp') return `installing a seccomp filter failed (${name}): the kernel needs CONFIG_SECCOMP_FILTER`;
  if (step === 'memory') return `physical memory cannot be set up (${name}): check ulimit -v and the size asked for`;
  if (step === 'maps')
    return `/proc/PID/maps of a child cannot be read (${name}): /proc is mounted with hidepid or a security module forbids it`;
  return `setting up the first guest process failed at "${step}" (${name})`;
}

export function defaultPhysicalBytes(): number {
  return Math.min(4 * GIB, totalmem());
}

/** Opens a native context or throws an Error with one clear line. */
export function openContext(
  physicalBytes: number = defaultPhysicalBytes(),
  place: boolean,
  gate: number,
): NativeContext {
  const problem = staticProblem();
  if (problem !== null) throw new Error(`levitate: ${problem}`);
  const { addon, stub } = loadNative();
  if (!addon.supported) throw new Error('levitate: the native addon was built for an unsupported architecture');
  const context = addon.createContext(stub, physicalBytes, place, gate);
  if (context.error !== 0) throw new Error(`levitate: ${explain(context.step, context.error)}`);
  return context;
}

/** Null when guests can run here, else the line that says why not. */
export function preflight(): string | null {
  try {
    openContext(1 << 20, false, 0).close();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
