/**
 * sysfs: the part of /sys that programs without devices of their own look at (sysfs(5)): the CPUs, the usual directories,
 * the memory devices' and terminals' numbers under class and dev, and the loopback device. Read-only; made of
 * procfs's building blocks.
 *
 * Linux oddity: every file has the size of a page and its content ends with a newline.
 */
import { EINVAL, errno } from '../../src/abi/errno.js';
import { SYSFS_MAGIC } from '../../src/abi/flags/filesystems.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../src/abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { LinkInode, ProcSuperBlock, TableDirectory, TextInode, type Entry } from '../procfs/nodes.js';
import type { FilesystemType } from '../vfs.js';

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    sysfs?: SysfsSuperBlock;
  }
}

class SysfsSuperBlock extends ProcSuperBlock {
  override readonly fsType = 'sysfs';
  protected override readonly magic = SYSFS_MAGIC;

  constructor(kernel: KernelState) {
    super(kernel, kernel.pageSize);
  }
}

class SysfsText extends TextInode {
  override get size(): number {
    return this.sb.blockSize;
  }
}

type Node = string | ((kernel: KernelState) => string) | { readonly link: string } | Tree;
interface Tree {
  readonly [name: string]: Node;
}

const isLink = (node: Node): node is { link: string } => typeof (node as { link?: unknown }).link === 'string';

function entries(tree: Tree): Entry<SysfsSuperBlock>[] {
  return Object.entries(tree).map(([name, node]) => {
    if (typeof node === 'string' || typeof node === 'function')
      return {
        name,
        mode: S_IFREG | 0o444,
        make: (sb, ino) =>
          new SysfsText(sb, ino, 0o444, { read: () => `${typeof node === 'string' ? node : node(sb.kernel)}\n` }),
      };
    if (isLink(node))
      return {
        name,
        mode: S_IFLNK | 0o777,
        make: (sb, ino) => new LinkInode(sb, ino, { readlink: () => node.link }),
      };
    const table = entries(node);
    return { name, mode: S_IFDIR | 0o755, make: (sb, ino) => new TableDirectory(sb, ino, table, sb, 0o755) };
  });
}

/** A class of devices below devices/virtual, with its links. */
const device = (major: number, minor: number, name: string): Tree => ({
  dev: `${major}:${minor}`,
  uevent: `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${name}`,
});
const MEM: readonly (readonly [string, number])[] = [
  ['null', 3],
  ['zero', 5],
  ['full', 7],
  ['random', 8],
  ['urandom', 9],
  ['kmsg', 11],
];
const TTY: readonly (readonly [string, number])[] = [
  ['tty', 0],
  ['console', 1],
  ['ptmx', 2],
];
const links = (names: readonly (readonly [string, number])[], kind: string): Tree =>
  Object.fromEntries(names.map(([name]) => [name, { link: `../../devices/virtual/${kind}/${name}` }]));
const numbers = (names: readonly (readonly [string, number])[], kind: string, major: number): Tree =>
  Object.fromEntries(
    names.map(([name, minor]) => [`${major}:${minor}`, { link: `../../devices/virtual/${kind}/${name}` }]),
  );

const STATISTICS = [
  'collisions',
  'multicast',
  ...['rx_bytes', 'rx_compressed', 'rx_crc_errors', 'rx_dropped', 'rx_errors', 'rx_fifo_errors', 'rx_frame_errors'],
  ...['rx_length_errors', 'rx_missed_errors', 'rx_nohandler', 'rx_over_errors', 'rx_packets', 'tx_aborted_errors'],
  ...['tx_bytes', 'tx_carrier_errors', 'tx_compressed', 'tx_dropped', 'tx_errors', 'tx_fifo_errors'],
  ...['tx_heartbeat_errors', 'tx_packets', 'tx_window_errors'],
];
/** No link to ask. */
const noLink = (): never => {
  throw errno(EINVAL);
};
const LOOPBACK: Tree = {
  addr_assign_type: '0',
  addr_len: '6',
  address: '00:00:00:00:00:00',
  broadcast: '00:00:00:00:00:00',
  carrier: '1',
  carrier_changes: '0',
  carrier_down_count: '0',
  carrier_up_count: '0',
  dev_id: '0x0',
  dev_port: '0',
  dormant: '0',
  duplex: noLink,
  flags: '0x9',
  gro_flush_timeout: '0',
  ifindex: '1',
  iflink: '1',
  link_mode: '0',
  mtu: '65536',
  name_assign_type: '2',
  napi_defer_hard_irqs: '0',
  netdev_group: '0',
  operstate: 'unknown',
  proto_down: '0',
  speed: noLink,
  statistics: Object.fromEntries(STATISTICS.map((name) => [name, '0'])),
  subsystem: { link: '../../../../class/net' },
  testing: '0',
  threaded: '0',
  tx_queue_len: '1000',
  type: '772',
  uevent: 'INTERFACE=lo\nIFINDEX=1',
};

const cpuRange = (kernel: KernelState): string => (kernel.cpus === 1 ? '0' : `0-${kernel.cpus - 1}`);

function treeOf(kernel: KernelState): Tree {
  const cpus: Record<string, Node> = {};
  for (let cpu = 0; cpu < kernel.cpus; cpu++)
    cpus[`cpu${cpu}`] = {
      ...(cpu === 0 ? {} : { online: '1' }),
      topology: {
        core_id: `${cpu}`,
        physical_package_id: '0',
        thread_siblings_list: `${cpu}`,
        core_siblings_list: cpuRange,
      },
    };
  return {
    block: {},
    bus: {},
    class: { mem: links(MEM, 'mem'), net: { lo: { link: '../../devices/virtual/net/lo' } }, tty: links(TTY, 'tty') },
    dev: { block: {}, char: { ...numbers(MEM, 'mem', 1), ...numbers(TTY, 'tty', 5) } },
    devices: {
      system: {
        cpu: {
          ...cpus,
          kernel_max: '8191',
          offline: '',
          online: cpuRange,
          possible: cpuRange,
          present: cpuRange,
        },
        node: { online: '0', possible: '0', node0: { cpulist: cpuRange } },
      },
      virtual: {
        mem: Object.fromEntries(MEM.map(([name, minor]) => [name, device(1, minor, name)])),
        net: { lo: LOOPBACK },
        tty: Object.fromEntries(TTY.map(([name, minor]) => [name, device(5, minor, name)])),
      },
    },
    firmware: {},
    fs: { cgroup: {} },
    kernel: {
      mm: { transparent_hugepage: { enabled: 'always madvise [never]' } },
      uevent_seqnum: '0',
    },
    module: {},
    power: { state: '' },
  };
}

export const sysfsType: FilesystemType = {
  name: 'sysfs',
  get(kernel) {
    if (kernel.sysfs === undefined) {
      const sb = new SysfsSuperBlock(kernel);
      sb.root = new TableDirectory(sb, 1, entries(treeOf(kernel)), sb, 0o555);
      kernel.sysfs = sb;
    }
    return kernel.sysfs;
  },
};
