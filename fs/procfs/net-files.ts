/**
 * /proc/net, which is /proc/self/net. The tables of sockets belong to src/net, which adds them to `kernel.procNet`; without
 * them only the headers show, as on a system without sockets and with the loopback interface alone.
 */
import { S_IFREG } from '../../src/abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { TableDirectory, TextInode, type Entry, type ProcSuperBlock } from './nodes.js';

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    /** Contents of /proc/net/NAME by name. */
    procNet?: Map<string, () => string>;
  }
}

export function addNetFile(kernel: KernelState, name: string, read: () => string): void {
  (kernel.procNet ??= new Map<string, () => string>()).set(name, read);
}

const INET = (kind: string): string =>
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode${kind}\n`;
const INET6 = (kind: string): string =>
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when ' +
  `retrnsmt   uid  timeout inode${kind}\n`;
const pad = (text: string, width: number): string => `${text.padEnd(width)}\n`;

const DEFAULTS: Readonly<Record<string, string>> = {
  arp: 'IP address       HW type     Flags       HW address            Mask     Device\n',
  dev:
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
    '    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n',
  if_inet6: '',
  netstat: 'TcpExt:\nTcpExt:\n',
  packet: 'sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n',
  raw: `${INET(' ref pointer drops')}`,
  raw6: `${INET6(' ref pointer drops')}`,
  route: pad('Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT', 127),
  sockstat: 'sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\n',
  tcp: pad(INET('').trimEnd(), 149),
  tcp6: INET6(''),
  udp: pad(
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    127,
  ),
  udp6: INET6(' ref pointer drops'),
  unix: 'Num       RefCount Protocol Flags    Type St Inode Path\n',
  wireless:
    'Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n' +
    ' face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n',
};

const TABLE: readonly Entry<ProcSuperBlock>[] = Object.entries(DEFAULTS).map(([name, empty]) => ({
  name,
  mode: S_IFREG | 0o444,
  make: (sb, ino) =>
    new TextInode(sb, ino, 0o444, { read: () => sb.kernel.procNet?.get(name)?.() ?? empty, splices: false }),
}));

export function netDirectory(sb: ProcSuperBlock, ino: number): TableDirectory<ProcSuperBlock> {
  return new TableDirectory(sb, ino, TABLE, sb);
}
