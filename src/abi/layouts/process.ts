/** Processes and the system: clone_args, scheduling, capabilities, rseq, ptrace registers, seccomp, sysinfo, utsname. */
import { struct } from '../layout.js';

export const CLONE_ARGS = struct('clone_args', {
  flags: 'u64',
  pidfd: 'u64',
  child_tid: 'u64',
  parent_tid: 'u64',
  exit_signal: 'u64',
  stack: 'u64',
  stack_size: 'u64',
  tls: 'u64',
  set_tid: 'u64',
  set_tid_size: 'u64',
  cgroup: 'u64',
});
export const SCHED_PARAM = struct('sched_param', { sched_priority: 'i32' });
export const SCHED_ATTR = struct('sched_attr', {
  size: 'u32',
  sched_policy: 'u32',
  sched_flags: 'u64',
  sched_nice: 'i32',
  sched_priority: 'u32',
  sched_runtime: 'u64',
  sched_deadline: 'u64',
  sched_period: 'u64',
  sched_util_min: 'u32',
  sched_util_max: 'u32',
});
export const CAP_HEADER = struct('__user_cap_header_struct', { version: 'u32', pid: 'i32' });
export const CAP_DATA = struct('__user_cap_data_struct', { effective: 'u32', permitted: 'u32', inheritable: 'u32' });
/** security.capability attribute, revision 3. */
export const VFS_NS_CAP_DATA = struct('vfs_ns_cap_data', { magic_etc: 'u32', data: ['u32', 4], rootid: 'u32' });
export const RSEQ = struct('rseq', { cpu_id_start: 'u32', cpu_id: 'u32', rseq_cs: 'u64', flags: 'u32' }, { align: 32 });
export const RSEQ_CS = struct(
  'rseq_cs',
  { version: 'u32', flags: 'u32', start_ip: 'u64', post_commit_offset: 'u64', abort_ip: 'u64' },
  { align: 32 },
);
export const UTSNAME = struct('new_utsname', {
  sysname: ['u8', 65],
  nodename: ['u8', 65],
  release: ['u8', 65],
  version: ['u8', 65],
  machine: ['u8', 65],
  domainname: ['u8', 65],
});
export const SYSINFO = struct('sysinfo', {
  uptime: 'i64',
  loads: ['u64', 3],
  totalram: 'u64',
  freeram: 'u64',
  sharedram: 'u64',
  bufferram: 'u64',
  totalswap: 'u64',
  freeswap: 'u64',
  procs: 'u16',
  pad: 'u16',
  totalhigh: 'u64',
  freehigh: 'u64',
  mem_unit: 'u32',
});
export const SOCK_FILTER = struct('sock_filter', { code: 'u16', jt: 'u8', jf: 'u8', k: 'u32' });
export const SOCK_FPROG = struct('sock_fprog', { len: 'u16', filter: 'u64' });
export const SECCOMP_DATA = struct('seccomp_data', {
  nr: 'i32',
  arch: 'u32',
  instruction_pointer: 'u64',
  args: ['u64', 6],
});
export const USER_REGS_X86_64 = struct('user_regs_struct', {
  r15: 'u64',
  r14: 'u64',
  r13: 'u64',
  r12: 'u64',
  bp: 'u64',
  bx: 'u64',
  r11: 'u64',
  r10: 'u64',
  r9: 'u64',
  r8: 'u64',
  ax: 'u64',
  cx: 'u64',
  dx: 'u64',
  si: 'u64',
  di: 'u64',
  orig_ax: 'u64',
  ip: 'u64',
  cs: 'u64',
  flags: 'u64',
  sp: 'u64',
  ss: 'u64',
  fs_base: 'u64',
  gs_base: 'u64',
  ds: 'u64',
  es: 'u64',
  fs: 'u64',
  gs: 'u64',
});
export const USER_PT_REGS_AARCH64 = struct('user_pt_regs', { regs: ['u64', 31], sp: 'u64', pc: 'u64', pstate: 'u64' });
export const PTRACE_SYSCALL_INFO = struct(
  'ptrace_syscall_info',
  {
    op: 'u8',
    pad: ['u8', 3],
    arch: 'u32',
    instruction_pointer: 'u64',
    stack_pointer: 'u64',
    entry_nr: { type: 'u64', at: 24 },
    entry_args: { type: 'u64', count: 6, at: 32 },
    exit_rval: { type: 'i64', at: 24 },
    exit_is_error: { type: 'u8', at: 32 },
    seccomp_ret_data: { type: 'u32', at: 80 },
  },
  { align: 8 },
);
/** set_thread_area(2), modify_ldt(2) of x86_64; the bit fields are one word at offset 12. */
export const USER_DESC = struct('user_desc', { entry_number: 'u32', base_addr: 'u32', limit: 'u32', bits: 'u32' });
