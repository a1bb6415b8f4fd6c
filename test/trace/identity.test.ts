/** For every row: what the printers print is parsed back into a call that prints the same. */
import { describe, expect, test } from '@jest/globals';
import type { ArchName } from '../../src/abi/types.js';
import { Call } from '../../src/trace/call.js';
import { Encoder, type Placement } from '../../src/trace/parse/encode.js';
import { parseArguments } from '../../src/trace/parse/term.js';
import { CallTexts } from '../../src/trace/printers/index.js';
import { FULL_STYLE } from '../../src/trace/style.js';
import type { TraceMemory } from '../../src/trace/tracer.js';
import type { Row } from '../../syscalls/row.js';
import { ROWS } from '../../syscalls/table.js';

const SIZE = 1 << 15;
const CASES = 12;
const BUFFER = 4096;
const PAGE = 4096;
/** Where the memory of a call lies. */
const FIRST = 0x1000_0000;

class Memory implements TraceMemory {
  readonly bytes = new Uint8Array(SIZE);
  read(addr: number, length: number): Uint8Array | null {
    const at = addr - FIRST;
    return at < 0 || at + length > SIZE ? null : this.bytes.slice(at, at + length);
  }
}
/** What a text says there is: each piece in pages of its own, with a hole behind them. */
class Rebuilt implements TraceMemory, Placement {
  readonly nowhere = 8n;
  private readonly pieces: { from: number; bytes: Uint8Array }[] = [];
  private top = 0x4000_0000;

  read(addr: number, length: number): Uint8Array | null {
    const piece = this.pieces.find(({ from, bytes }) => addr >= from && addr < from + bytes.length);
    const at = addr - (piece?.from ?? 0);
    return piece === undefined || at + length > piece.bytes.length ? null : piece.bytes.slice(at, at + length);
  }
  place(bytes: Uint8Array): bigint {
    return this.put(bytes, 0);
  }
  edge(bytes: Uint8Array): bigint {
    return this.put(bytes, -bytes.length & (PAGE - 1));
  }
  private put(bytes: Uint8Array, offset: number): bigint {
    const size = Math.ceil((offset + bytes.length + (offset === 0 ? 1 : 0)) / PAGE) * PAGE;
    const piece = { from: this.top, bytes: new Uint8Array(size) };
    piece.bytes.set(bytes, offset);
    this.pieces.push(piece);
    this.top += size + PAGE;
    return BigInt(piece.from + offset);
  }
  room(size: number): bigint {
    return this.place(new Uint8Array(Math.min(size, BUFFER)));
  }
}

/** Reproducible: the same calls in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

const NUMBERS = new Set(['size', 'int', 'uint', 'ulong', 'long', 'off']);

function randomCall(row: Row, random: (below: number) => number): { args: bigint[]; memory: Memory } {
  const memory = new Memory();
  const fill = random(3);
  for (let i = 0; i < BUFFER; i++) memory.bytes[i] = fill === 0 ? 0 : fill === 1 || random(4) === 0 ? random(256) : 0;
  const view = new DataView(memory.bytes.buffer);
  for (let at = 0; at < 512; at += 8)
    if (random(3) === 0) view.setBigUint64(at, BigInt(FIRST + 1024 + 64 * random(16)), true);
  const value = (): bigint => {
    switch (random(7)) {
      case 0:
        return 0n;
      case 1:
        return BigInt(random(16));
      case 2:
        return BigInt(random(1 << 16));
      case 3:
        return (1n << 64n) - 1n;
      default:
        return BigInt(FIRST + 64 * random(32));
    }
  };
  return { args: row.args.map((arg) => (NUMBERS.has(arg.kind) ? BigInt(random(40)) : value())), memory };
}

interface Outcome {
  readonly result: number;
  readonly errno: number;
}
function printed(row: Row, arch: ArchName, args: readonly bigint[], memory: TraceMemory, outcome: Outcome): string {
  const texts = new CallTexts();
  const call = new Call(row, args, arch, memory, FULL_STYLE);
  const entered = texts.enter(call);
  call.errno = outcome.errno;
  call.result = outcome.result;
  return entered + texts.leave(call);
}
/** The text of the call that a text stands for. */
function again(row: Row, arch: ArchName, text: string, outcome: Outcome): string {
  const rebuilt = new Rebuilt();
  const encoder = new Encoder({ arch, placement: rebuilt, outputs: true });
  const args = encoder.encode(row, parseArguments(text), outcome.errno === 0 ? '' : 'EINVAL');
  return printed(row, arch, args, rebuilt, outcome);
}

/** What chance does not make. */
const TEXTS: readonly (readonly [call: string, args: string, result?: number])[] = [
  ['prctl', 'PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=1, filter=[BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO|0x26)]}'],
  [
    'seccomp',
    'SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, {len=2, filter=[BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0x3b, 0x1, 0x2), BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4)]}',
  ],
  ['seccomp', 'SECCOMP_GET_NOTIF_SIZES, 0, {seccomp_notif=80, seccomp_notif_resp=24, seccomp_data=64}'],
  [
    'setsockopt',
    '3, SOL_SOCKET, SO_ATTACH_FILTER, {len=1, filter=[BPF_STMT(BPF_LD|BPF_B|BPF_ABS, SKF_AD_OFF+SKF_AD_PKTTYPE)]}, 16',
  ],
  [
    'setsockopt',
    '3, SOL_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=inet_addr("224.0.0.1"), imr_interface=inet_addr("127.0.0.1")}, 8',
  ],
  [
    'setsockopt',
    '3, SOL_IPV6, IPV6_ADD_MEMBERSHIP, {inet_pton(AF_INET6, "ff02::1", &ipv6mr_multiaddr), ipv6mr_interface=if_nametoindex("lo")}, 20',
  ],
  ['setsockopt', '3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=5}, 8'],
  ['getsockopt', '3, SOL_SOCKET, SO_PEERCRED, {pid=7, uid=0, gid=1000}, [12]'],
  ['getsockopt', '3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]'],
  ['ioctl', '3, SIOCGIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_LOOPBACK|IFF_RUNNING}'],
  ['ioctl', '3, SIOCGIFNAME, {ifr_ifindex=1, ifr_name="lo"}'],
  ['ioctl', '3, SIOCSIFNAME, {ifr_name="a", ifr_newname="b"}'],
  ['ioctl', '3, SIOCGIFMTU, {ifr_name="abcdefghijklmno"..., ifr_mtu=-1}'],
  ['ioctl', '3, SIOCGIFHWADDR, {ifr_name="eth0", ifr_hwaddr={sa_family=ARPHRD_ETHER, sa_data=0a:00:1b:00:00:ff}}'],
  ['ioctl', '3, SIOCGIFHWADDR, {ifr_name="eth0", ifr_hwaddr={sa_family=ARPHRD_ETHER, sa_data=fe:00:1b:00:00:ff}}'],
  [
    'ioctl',
    '3, SIOCSIFADDR, {ifr_name="lo", ifr_addr={sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}}',
  ],
  [
    'ioctl',
    '3, SIOCGIFMAP, {ifr_name="lo", ifr_map={mem_start=0x1, mem_end=0x2000, base_addr=0x300, irq=0x5, dma=0x6, port=0}}',
  ],
  [
    'ioctl',
    '3, SIOCGIFCONF, {ifc_len=40 /* 1 * sizeof(struct ifreq) */, ifc_buf=[{ifr_name="lo", ifr_addr={sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}}]}',
  ],
  ['wait4', '-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], 0, NULL', 5],
  ['wait4', '-1, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP | 0x80}], 0, NULL', 5],
  ['wait4', '-1, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP}|PTRACE_EVENT_CLONE<<16], 0, NULL', 5],
  ['fcntl', '3, F_SETFL, O_RDONLY|O_APPEND|O_NONBLOCK|O_NOATIME'],
  [
    'shmctl',
    '5, IPC_STAT, {shm_perm={uid=0, gid=1, mode=0600, key=77, cuid=2, cgid=3}, shm_segsz=4096, shm_cpid=7, shm_lpid=8, shm_nattch=1, shm_atime=1, shm_dtime=2, shm_ctime=3}',
  ],
  ['shmctl', '5, IPC_SET, {shm_perm={uid=9, gid=10, mode=0640}}'],
  [
    'sendmsg',
    '3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5]}, {cmsg_len=28, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS, cmsg_data={pid=1, uid=2, gid=3}}], msg_controllen=56, msg_flags=0}, MSG_NOSIGNAL',
  ],
  [
    'getdents64',
    '3, [{d_ino=5, d_off=1, d_reclen=24, d_type=DT_DIR, d_name="."}, {d_ino=6, d_off=2, d_reclen=24, d_type=DT_REG, d_name="a"}], 32768',
    48,
  ],
];

/** Texts of a call and of what its text says, addresses left out. */
function twice(row: Row, arch: ArchName, random: (below: number) => number): [string, string] {
  const { args, memory } = randomCall(row, random);
  const failed = random(3) === 0;
  const outcome = { result: failed ? -1 : random(20), errno: failed ? 22 : 0 };
  const first = printed(row, arch, args, memory, outcome);
  const second = again(row, arch, first, outcome);
  const plain = (text: string): string => text.replace(/0x[0-9a-f]{5,}/g, 'ADDRESS');
  return [plain(first), plain(second)];
}

describe.each(['x86_64', 'aarch64'] as const)('%s', (arch) => {
  const rows = ROWS.filter((row) => row.numbers[arch] !== undefined);

  test.each(rows.map((row) => [row.name, row] as const))('%s', (_name, row) => {
    const random = generator(7);
    for (let i = 0; i < CASES; i++) {
      const [first, second] = twice(row, arch, random);
      expect(second).toBe(first);
    }
  });

  test.each(TEXTS)('%s(%s)', (name, text, result = 0) => {
    const row = ROWS.find((one) => one.name === name)!;
    expect(again(row, arch, text, { result, errno: 0 })).toBe(text);
  });
});
