/**
 * Every struct layout against the C compiler: sizes and offsets of a generated file, read from the assembly (so that the
 * cross compiler needs no emulator). aarch64 is skipped where aarch64-linux-gnu-gcc is not installed.
 */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { forArch, getI64, getU64, readField, setU64, struct, writeField } from '../../src/abi/layout.js';
import { LAYOUTS } from '../../src/abi/layouts/index.js';
import * as elf from '../../src/abi/layouts/elf.js';
import type { ArchName } from '../../src/abi/types.js';

const HEADERS = `
#define _GNU_SOURCE
#define _SYS_SOCKET_H 1
typedef unsigned int socklen_t; typedef unsigned long size_t; typedef long time_t;
struct sockaddr { unsigned short sa_family; char sa_data[14]; };
#include <stddef.h>
#include <linux/types.h>
#include <asm/stat.h>
#include <linux/stat.h>
#include <asm/signal.h>
#include <asm/siginfo.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <asm/statfs.h>
#include <asm/fcntl.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/poll.h>
#include <asm/ptrace.h>
#include <linux/openat2.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/loop.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/capability.h>
#include <linux/rseq.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/ptrace.h>
#include <linux/time_types.h>
#include <linux/time.h>
#include <linux/timex.h>
#include <linux/times.h>
#include <linux/utime.h>
#include <linux/resource.h>
#include <linux/eventpoll.h>
#include <linux/inotify.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/futex.h>
#include <linux/signalfd.h>
#include <linux/uio.h>
#include <linux/socket.h>
#include <linux/un.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/if_packet.h>
#include <linux/if.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/mqueue.h>
#include <linux/vt.h>
#include <linux/elf.h>
#include <linux/auxvec.h>
#if defined __x86_64__
#include <asm/ldt.h>
#endif
typedef __u8 u8; typedef __u16 u16; typedef __u32 u32; typedef __u64 u64; typedef __s32 s32; typedef __s64 s64;
// Not in the exported headers of Debian 12: copied declarations.
struct linux_dirent64 { u64 d_ino; s64 d_off; unsigned short d_reclen; unsigned char d_type; char d_name[]; };
struct linux_dirent { unsigned long d_ino; unsigned long d_off; unsigned short d_reclen; char d_name[1]; };
struct ustat { int f_tfree; unsigned long f_tinode; char f_fname[6]; char f_fpack[6]; };
struct file_handle { u32 handle_bytes; int handle_type; unsigned char f_handle[]; };
struct file_attr { u64 fa_xflags; u32 fa_extsize, fa_nextents, fa_projid, fa_cowextsize; };
struct xattr_args { u64 value; u32 size; u32 flags; };
struct cachestat_range { u64 off, len; };
struct cachestat { u64 nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted; };
struct mnt_id_req { u32 size; u32 spare; u64 mnt_id; u64 param; u64 mnt_ns_id; };
struct statmount { u32 size; u32 mnt_opts; u64 mask; u32 sb_dev_major, sb_dev_minor; u64 sb_magic; u32 sb_flags; u32 fs_type;
  u64 mnt_id, mnt_parent_id; u32 mnt_id_old, mnt_parent_id_old; u64 mnt_attr, mnt_propagation, mnt_peer_group, mnt_master,
  propagate_from; u32 mnt_root, mnt_point; u64 mnt_ns_id; u32 fs_subtype, sb_source, opt_num, opt_array, opt_sec_num,
  opt_sec_array; u64 supported_mask; u32 mnt_uidmap_num, mnt_uidmap, mnt_gidmap_num, mnt_gidmap; u64 __spare2[43]; char str[]; };
struct sigset_argpack { void *p; size_t size; };
struct msghdr { void *msg_name; int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen; void *msg_control;
  size_t msg_controllen; unsigned int msg_flags; };
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; };
struct linger { int l_onoff; int l_linger; };
struct ucred { u32 pid, uid, gid; };
struct auxv { u64 a_type, a_val; };
struct robust { int x; };
struct linux_sched_param { int sched_priority; };
struct user_regs { unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags,
  sp, ss, fs_base, gs_base, ds, es, fs, gs; };
struct user_desc_words { unsigned entry_number, base_addr, limit, bits; };
#if defined __x86_64__
struct rt_sigframe { char *pretcode; struct ucontext uc; struct siginfo info; };
#else
struct rt_sigframe { struct siginfo info; struct ucontext uc; };
#endif
`;

/** C types whose name is not "struct " and the layout's. */
const C_TYPES: Record<string, string> = {
  siginfo: 'siginfo_t',
  sigevent: 'struct sigevent',
  stack_t: 'stack_t',
  itimerval: 'struct __kernel_old_itimerval',
  timex: 'struct __kernel_timex_data',
  timezone: 'struct timezone',
  statx: 'struct statx',
  fpstate_x86_64: 'struct _fpstate_64',
  sockaddr_storage: 'struct __kernel_sockaddr_storage',
  sched_param: 'struct linux_sched_param',
  user_regs_x86_64: 'struct user_regs',
  user_desc: 'struct user_desc_words',
  msgbuf: 'struct msgbuf',
};

/** Field names that differ in C, or whose C spelling is a path. */
const C_FIELDS: Record<string, Record<string, string>> = {
  siginfo: { si_timerid: 'si_tid' },
  sigevent: { sigev_notify_thread_id: '_sigev_un._tid' },
  ptrace_syscall_info: {
    entry_nr: 'entry.nr',
    entry_args: 'entry.args',
    exit_rval: 'exit.rval',
    exit_is_error: 'exit.is_error',
    seccomp_ret_data: 'seccomp.ret_data',
  },
  sockaddr_in: { sin_zero: '__pad' },
  elf64_dyn: { d_val: 'd_un' },
  io_uring_params: {},
};
/** Fields no C name exists for (reserved words, unions, parts libc hides). */
const SKIP_FIELDS: Record<string, readonly string[]> = {
  ipc64_perm: ['mode', 'seq'],
  user_desc: [],
  sockaddr_storage: ['ss_family'],
  user_pt_regs_aarch64: [],
};
/** Layouts of one architecture only. */
const ONLY: Record<string, ArchName> = {
  sigcontext_x86_64: 'x86_64',
  ucontext_x86_64: 'x86_64',
  rt_sigframe_x86_64: 'x86_64',
  fpx_sw_bytes: 'x86_64',
  fpstate_x86_64: 'x86_64',
  user_regs_x86_64: 'x86_64',
  user_desc: 'x86_64',
  sigcontext_aarch64: 'aarch64',
  ucontext_aarch64: 'aarch64',
  rt_sigframe_aarch64: 'aarch64',
  aarch64_ctx: 'aarch64',
  fpsimd_context: 'aarch64',
  esr_context: 'aarch64',
  extra_context: 'aarch64',
  user_pt_regs_aarch64: 'aarch64',
};
const RESERVED = /^_|^pad|^resv|reserved|unused|spare|padding/;

interface Probe {
  what: string;
  expression: string;
  expected: number;
}

function probes(arch: ArchName): Probe[] {
  const list: Probe[] = [];
  for (const [key, value] of Object.entries(LAYOUTS)) {
    if ((ONLY[key] ?? arch) !== arch) continue;
    const layout = forArch(value, arch);
    const type = C_TYPES[key] ?? (layout.name.startsWith('Elf64_') ? layout.name : `struct ${layout.name}`);
    list.push({ what: `sizeof ${key}`, expression: `sizeof(${type})`, expected: layout.size });
    for (const [field, offset] of Object.entries(layout.offsets)) {
      if (RESERVED.test(field) || SKIP_FIELDS[key]?.includes(field)) continue;
      const name = C_FIELDS[key]?.[field] ?? field;
      list.push({
        what: `offset ${key}.${field}`,
        expression: `__builtin_offsetof(${type}, ${name})`,
        expected: offset,
      });
    }
  }
  return list;
}

/** Values of constant expressions, from the assembly a compiler makes of them. */
function evaluate(compiler: string, preamble: string, expressions: readonly string[]): number[] {
  const lines = expressions.map((e, i) => `unsigned long long probe_${i} __attribute__((section("p"))) = (${e});`);
  const result = spawnSync(compiler, ['-S', '-w', '-x', 'c', '-o', '-', '-'], {
    input: `${preamble}\n${lines.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (result.status !== 0) throw new Error(result.stderr);
  const values: number[] = [];
  let current = -1;
  for (const line of result.stdout.split('\n')) {
    const label = /^probe_(\d+):/.exec(line);
    if (label) current = Number(label[1]);
    const value = /^\s+\.(?:quad|xword|dword|8byte)\s+(\d+)/.exec(line) ?? /^\s+\.zero\s+(8)/.exec(line);
    if (value && current >= 0) {
      values[current] = line.includes('.zero') ? 0 : Number(value[1]);
      current = -1;
    }
  }
  return values;
}

const TIMEX = `struct __kernel_timex_data { unsigned modes; s64 offset, freq, maxerror, esterror; int status; s64 constant, precision,
  tolerance; struct __kernel_old_timeval time; s64 tick, ppsfreq, jitter; int shift; s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
  int tai; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; };
struct __kernel_old_itimerval_ { struct __kernel_old_timeval it_interval, it_value; };
#define __kernel_old_itimerval __kernel_old_itimerval_
`;

const COMPILERS: Record<ArchName, string> = { x86_64: 'gcc', aarch64: 'aarch64-linux-gnu-gcc' };
const installed = (compiler: string) => spawnSync(compiler, ['--version']).status === 0;

describe.each(Object.entries(COMPILERS) as [ArchName, string][])('layouts of %s', (arch, compiler) => {
  const check = installed(compiler) ? test : test.skip;
  check('sizes and offsets are those of the C compiler', () => {
    const list = probes(arch);
    expect(list.length).toBeGreaterThan(500);
    const values = evaluate(
      compiler,
      HEADERS + TIMEX,
      list.map((p) => p.expression),
    );
    const wrong = list.flatMap((p, i) =>
      values[i] === p.expected ? [] : [`${p.what}: ours ${p.expected}, C ${values[i]}`],
    );
    expect(wrong).toEqual([]);
  });
});

test('ELF and auxiliary vector constants are those of the headers', () => {
  const names = Object.entries(elf).flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, value] as const] : [],
  );
  const missing = '#define AT_RSEQ_FEATURE_SIZE 27\n#define AT_RSEQ_ALIGN 28\n';
  const values = evaluate(
    'gcc',
    `#include <linux/elf.h>\n#include <linux/auxvec.h>\n${missing}`,
    names.map(([name]) => name),
  );
  expect(names.map(([name], i) => [name, values[i]])).toEqual(names);
});

test('accessors keep sign and halves', () => {
  const layout = struct('t', { a: 'u8', b: 'i64', c: ['u16', 3], d: 'u64' });
  expect([layout.offsets.a, layout.offsets.b, layout.offsets.c, layout.offsets.d, layout.size]).toEqual([
    0, 8, 16, 24, 32,
  ]);
  const view = new DataView(new ArrayBuffer(64));
  for (const value of [0, 1, -1, -4096, 2 ** 40 + 3, -(2 ** 40) - 3, 2 ** 52, -(2 ** 53) + 1]) {
    writeField(layout, view, 8, 'b', value);
    expect(readField(layout, view, 8, 'b')).toBe(value);
    expect(getI64(view, 16)).toBe(value);
  }
  setU64(view, 0, 0xffff_ffff_0000);
  expect(getU64(view, 0)).toBe(0xffff_ffff_0000);
  writeField(layout, view, 0, 'c', 0x1234, 2);
  expect(readField(layout, view, 0, 'c', 2)).toBe(0x1234);
  expect(view.getUint16(20, true)).toBe(0x1234);
});
