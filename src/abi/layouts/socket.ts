/** Sockets: addresses, messages, options, interfaces, netlink headers. Ports and IPv4 addresses are in network order. */
import { struct } from '../layout.js';

export const SOCKADDR = struct('sockaddr', { sa_family: 'u16', sa_data: ['u8', 14] });
export const SOCKADDR_UN = struct('sockaddr_un', { sun_family: 'u16', sun_path: ['u8', 108] });
export const SOCKADDR_IN = struct('sockaddr_in', {
  sin_family: 'u16',
  sin_port: 'u16',
  sin_addr: 'u32',
  sin_zero: ['u8', 8],
});
export const SOCKADDR_IN6 = struct('sockaddr_in6', {
  sin6_family: 'u16',
  sin6_port: 'u16',
  sin6_flowinfo: 'u32',
  sin6_addr: ['u8', 16],
  sin6_scope_id: 'u32',
});
export const SOCKADDR_NL = struct('sockaddr_nl', { nl_family: 'u16', nl_pad: 'u16', nl_pid: 'u32', nl_groups: 'u32' });
export const SOCKADDR_LL = struct('sockaddr_ll', {
  sll_family: 'u16',
  sll_protocol: 'u16',
  sll_ifindex: 'i32',
  sll_hatype: 'u16',
  sll_pkttype: 'u8',
  sll_halen: 'u8',
  sll_addr: ['u8', 8],
});
export const SOCKADDR_STORAGE = struct('sockaddr_storage', { ss_family: 'u16' }, { size: 128, align: 8 });
export const MSGHDR = struct('msghdr', {
  msg_name: 'u64',
  msg_namelen: 'i32',
  msg_iov: 'u64',
  msg_iovlen: 'u64',
  msg_control: 'u64',
  msg_controllen: 'u64',
  msg_flags: 'u32',
});
export const MMSGHDR = struct('mmsghdr', { msg_hdr: MSGHDR, msg_len: 'u32' });
export const CMSGHDR = struct('cmsghdr', { cmsg_len: 'u64', cmsg_level: 'i32', cmsg_type: 'i32' });
export const LINGER = struct('linger', { l_onoff: 'i32', l_linger: 'i32' });
export const UCRED = struct('ucred', { pid: 'i32', uid: 'u32', gid: 'u32' });
export const IP_MREQN = struct('ip_mreqn', { imr_multiaddr: 'u32', imr_address: 'u32', imr_ifindex: 'i32' });
export const IN_PKTINFO = struct('in_pktinfo', { ipi_ifindex: 'i32', ipi_spec_dst: 'u32', ipi_addr: 'u32' });
export const IFREQ = struct(
  'ifreq',
  {
    ifr_name: ['u8', 16],
    ifr_addr: { type: SOCKADDR, at: 16 },
    ifr_flags: { type: 'i16', at: 16 },
    ifr_ifindex: { type: 'i32', at: 16 },
    ifr_mtu: { type: 'i32', at: 16 },
    ifr_newname: { type: 'u8', count: 16, at: 16 },
    ifr_data: { type: 'u64', at: 16 },
  },
  { size: 40, align: 8 },
);
export const IFCONF = struct('ifconf', { ifc_len: 'i32', ifc_buf: 'u64' });
export const NLMSGHDR = struct('nlmsghdr', {
  nlmsg_len: 'u32',
  nlmsg_type: 'u16',
  nlmsg_flags: 'u16',
  nlmsg_seq: 'u32',
  nlmsg_pid: 'u32',
});
export const NLMSGERR = struct('nlmsgerr', { error: 'i32', msg: NLMSGHDR });
export const IFINFOMSG = struct('ifinfomsg', {
  ifi_family: 'u8',
  __ifi_pad: 'u8',
  ifi_type: 'u16',
  ifi_index: 'i32',
  ifi_flags: 'u32',
  ifi_change: 'u32',
});
export const IFADDRMSG = struct('ifaddrmsg', {
  ifa_family: 'u8',
  ifa_prefixlen: 'u8',
  ifa_flags: 'u8',
  ifa_scope: 'u8',
  ifa_index: 'u32',
});
export const RTMSG = struct('rtmsg', {
  rtm_family: 'u8',
  rtm_dst_len: 'u8',
  rtm_src_len: 'u8',
  rtm_tos: 'u8',
  rtm_table: 'u8',
  rtm_protocol: 'u8',
  rtm_scope: 'u8',
  rtm_type: 'u8',
  rtm_flags: 'u32',
});
export const RTATTR = struct('rtattr', { rta_len: 'u16', rta_type: 'u16' });
