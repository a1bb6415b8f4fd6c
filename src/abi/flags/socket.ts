/**
 * Sockets: families, types, protocols, options, message flags.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_AX25 = 3;
export const AF_IPX = 4;
export const AF_APPLETALK = 5;
export const AF_NETROM = 6;
export const AF_BRIDGE = 7;
export const AF_ATMPVC = 8;
export const AF_X25 = 9;
export const AF_INET6 = 10;
export const AF_ROSE = 11;
export const AF_DECnet = 12;
export const AF_NETBEUI = 13;
export const AF_SECURITY = 14;
export const AF_KEY = 15;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const AF_ASH = 18;
export const AF_ECONET = 19;
export const AF_ATMSVC = 20;
export const AF_RDS = 21;
export const AF_SNA = 22;
export const AF_IRDA = 23;
export const AF_PPPOX = 24;
export const AF_WANPIPE = 25;
export const AF_LLC = 26;
export const AF_IB = 27;
export const AF_MPLS = 28;
export const AF_CAN = 29;
export const AF_TIPC = 30;
export const AF_BLUETOOTH = 31;
export const AF_IUCV = 32;
export const AF_RXRPC = 33;
export const AF_ISDN = 34;
export const AF_PHONET = 35;
export const AF_IEEE802154 = 36;
export const AF_CAIF = 37;
export const AF_ALG = 38;
export const AF_NFC = 39;
export const AF_VSOCK = 40;
export const AF_KCM = 41;
export const AF_QIPCRTR = 42;
export const AF_SMC = 43;
export const AF_XDP = 44;
export const AF_MCTP = 45;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_RDM = 4;
export const SOCK_SEQPACKET = 5;
export const SOCK_DCCP = 6;
export const SOCK_PACKET = 10;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
export const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
export const IPPROTO_IGMP = 2;
export const IPPROTO_IPIP = 4;
export const IPPROTO_TCP = 6;
export const IPPROTO_EGP = 8;
export const IPPROTO_PUP = 12;
export const IPPROTO_UDP = 17;
export const IPPROTO_IDP = 22;
export const IPPROTO_TP = 29;
export const IPPROTO_DCCP = 33;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_ROUTING = 43;
export const IPPROTO_FRAGMENT = 44;
export const IPPROTO_RSVP = 46;
export const IPPROTO_GRE = 47;
export const IPPROTO_ESP = 50;
export const IPPROTO_AH = 51;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_NONE = 59;
export const IPPROTO_DSTOPTS = 60;
export const IPPROTO_MTP = 92;
export const IPPROTO_BEETPH = 94;
export const IPPROTO_ENCAP = 98;
export const IPPROTO_PIM = 103;
export const IPPROTO_COMP = 108;
export const IPPROTO_L2TP = 115;
export const IPPROTO_SCTP = 132;
export const IPPROTO_MH = 135;
export const IPPROTO_UDPLITE = 136;
export const IPPROTO_MPLS = 137;
export const IPPROTO_ETHERNET = 143;
export const IPPROTO_RAW = 255;
export const IPPROTO_MPTCP = 262;
export const MSG_OOB = 1;
export const MSG_PEEK = 2;
export const MSG_DONTROUTE = 4;
export const MSG_CTRUNC = 8;
export const MSG_PROBE = 0x10;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_FIN = 0x200;
export const MSG_SYN = 0x400;
export const MSG_CONFIRM = 0x800;
export const MSG_RST = 0x1000;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_SENDPAGE_NOTLAST = 0x20000;
export const MSG_BATCH = 0x40000;
export const MSG_NO_SHARED_FRAGS = 0x80000;
export const MSG_ZEROCOPY = 0x4000000;
export const MSG_FASTOPEN = 0x20000000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const MSG_CMSG_COMPAT = 0x80000000;
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;
export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
export const SCM_SECURITY = 3;
export const SO_WIFI_STATUS = 41;
export const SO_TXTIME = 61;
export const SO_TIMESTAMP_OLD = 29;
export const SO_TIMESTAMPNS_OLD = 35;
export const SO_TIMESTAMPING_OLD = 37;
export const SO_TIMESTAMP_NEW = 63;
export const SO_TIMESTAMPNS_NEW = 64;
export const SO_TIMESTAMPING_NEW = 65;
export const SCM_TIMESTAMPING_OPT_STATS = 54;
export const SCM_TIMESTAMPING_PKTINFO = 58;
export const NETLINK_ROUTE = 0;
export const NETLINK_UNUSED = 1;
export const NETLINK_USERSOCK = 2;
export const NETLINK_FIREWALL = 3;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_NFLOG = 5;
export const NETLINK_XFRM = 6;
export const NETLINK_SELINUX = 7;
export const NETLINK_ISCSI = 8;
export const NETLINK_AUDIT = 9;
export const NETLINK_FIB_LOOKUP = 10;
export const NETLINK_CONNECTOR = 11;
export const NETLINK_NETFILTER = 12;
export const NETLINK_IP6_FW = 13;
export const NETLINK_DNRTMSG = 14;
export const NETLINK_KOBJECT_UEVENT = 15;
export const NETLINK_GENERIC = 16;
export const NETLINK_SCSITRANSPORT = 18;
export const NETLINK_ECRYPTFS = 19;
export const NETLINK_RDMA = 20;
export const NETLINK_CRYPTO = 21;
export const NETLINK_SMC = 22;
export const IFF_UP = 1;
export const IFF_BROADCAST = 2;
export const IFF_DEBUG = 4;
export const IFF_LOOPBACK = 8;
export const IFF_POINTOPOINT = 0x10;
export const IFF_NOTRAILERS = 0x20;
export const IFF_RUNNING = 0x40;
export const IFF_NOARP = 0x80;
export const IFF_PROMISC = 0x100;
export const IFF_ALLMULTI = 0x200;
export const IFF_MASTER = 0x400;
export const IFF_SLAVE = 0x800;
export const IFF_MULTICAST = 0x1000;
export const IFF_PORTSEL = 0x2000;
export const IFF_AUTOMEDIA = 0x4000;
export const IFF_DYNAMIC = 0x8000;
export const IFF_LOWER_UP = 0x10000;
export const IFF_DORMANT = 0x20000;
export const IFF_ECHO = 0x40000;
export const SOMAXCONN = 4096;
export const SCM_MAX_FD = 253;
export const SOCK_TYPE_MASK = 15;
export const UIO_MAXIOV = 1024;

/** strace: addrfams. */
export const addrfams = flagSet('AF_???', {
  AF_UNSPEC,
  AF_UNIX,
  AF_INET,
  AF_AX25,
  AF_IPX,
  AF_APPLETALK,
  AF_NETROM,
  AF_BRIDGE,
  AF_ATMPVC,
  AF_X25,
  AF_INET6,
  AF_ROSE,
  AF_DECnet,
  AF_NETBEUI,
  AF_SECURITY,
  AF_KEY,
  AF_NETLINK,
  AF_PACKET,
  AF_ASH,
  AF_ECONET,
  AF_ATMSVC,
  AF_RDS,
  AF_SNA,
  AF_IRDA,
  AF_PPPOX,
  AF_WANPIPE,
  AF_LLC,
  AF_IB,
  AF_MPLS,
  AF_CAN,
  AF_TIPC,
  AF_BLUETOOTH,
  AF_IUCV,
  AF_RXRPC,
  AF_ISDN,
  AF_PHONET,
  AF_IEEE802154,
  AF_CAIF,
  AF_ALG,
  AF_NFC,
  AF_VSOCK,
  AF_KCM,
  AF_QIPCRTR,
  AF_SMC,
  AF_XDP,
  AF_MCTP,
});

/** strace: socktypes. */
export const socktypes = flagSet('SOCK_???', {
  SOCK_STREAM,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_DCCP,
  SOCK_PACKET,
});

/** strace: sock_type_flags. */
export const sock_type_flags = flagSet('SOCK_???', { SOCK_CLOEXEC, SOCK_NONBLOCK });

/** strace: inet_protocols. */
export const inet_protocols = flagSet('IPPROTO_???', {
  IPPROTO_IP,
  IPPROTO_ICMP,
  IPPROTO_IGMP,
  IPPROTO_IPIP,
  IPPROTO_TCP,
  IPPROTO_EGP,
  IPPROTO_PUP,
  IPPROTO_UDP,
  IPPROTO_IDP,
  IPPROTO_TP,
  IPPROTO_DCCP,
  IPPROTO_IPV6,
  IPPROTO_ROUTING,
  IPPROTO_FRAGMENT,
  IPPROTO_RSVP,
  IPPROTO_GRE,
  IPPROTO_ESP,
  IPPROTO_AH,
  IPPROTO_ICMPV6,
  IPPROTO_NONE,
  IPPROTO_DSTOPTS,
  IPPROTO_MTP,
  IPPROTO_BEETPH,
  IPPROTO_ENCAP,
  IPPROTO_PIM,
  IPPROTO_COMP,
  IPPROTO_L2TP,
  IPPROTO_SCTP,
  IPPROTO_MH,
  IPPROTO_UDPLITE,
  IPPROTO_MPLS,
  IPPROTO_ETHERNET,
  IPPROTO_RAW,
  IPPROTO_MPTCP,
});

/** strace: msg_flags. */
export const msg_flags = flagSet('MSG_???', {
  MSG_OOB,
  MSG_PEEK,
  MSG_DONTROUTE,
  MSG_CTRUNC,
  MSG_PROBE,
  MSG_TRUNC,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_WAITALL,
  MSG_FIN,
  MSG_SYN,
  MSG_CONFIRM,
  MSG_RST,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_MORE,
  MSG_WAITFORONE,
  MSG_SENDPAGE_NOTLAST,
  MSG_BATCH,
  MSG_NO_SHARED_FRAGS,
  MSG_ZEROCOPY,
  MSG_FASTOPEN,
  MSG_CMSG_CLOEXEC,
  MSG_CMSG_COMPAT,
});

/** strace: shutdown_modes. */
export const shutdown_modes = flagSet('SHUT_???', { SHUT_RD, SHUT_WR, SHUT_RDWR });

/** strace: scmvals. */
export const scmvals = flagSet('SCM_???', {
  SCM_RIGHTS,
  SCM_CREDENTIALS,
  SCM_SECURITY,
  SO_WIFI_STATUS,
  SO_TXTIME,
  SO_TIMESTAMP_OLD,
  SO_TIMESTAMPNS_OLD,
  SO_TIMESTAMPING_OLD,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMPNS_NEW,
  SO_TIMESTAMPING_NEW,
  SCM_TIMESTAMPING_OPT_STATS,
  SCM_TIMESTAMPING_PKTINFO,
});

/** strace: netlink_protocols. */
export const netlink_protocols = flagSet('NETLINK_???', {
  NETLINK_ROUTE,
  NETLINK_UNUSED,
  NETLINK_USERSOCK,
  NETLINK_FIREWALL,
  NETLINK_SOCK_DIAG,
  NETLINK_NFLOG,
  NETLINK_XFRM,
  NETLINK_SELINUX,
  NETLINK_ISCSI,
  NETLINK_AUDIT,
  NETLINK_FIB_LOOKUP,
  NETLINK_CONNECTOR,
  NETLINK_NETFILTER,
  NETLINK_IP6_FW,
  NETLINK_DNRTMSG,
  NETLINK_KOBJECT_UEVENT,
  NETLINK_GENERIC,
  NETLINK_SCSITRANSPORT,
  NETLINK_ECRYPTFS,
  NETLINK_RDMA,
  NETLINK_CRYPTO,
  NETLINK_SMC,
});

/** strace: iffflags. */
export const iffflags = flagSet('IFF_???', {
  IFF_UP,
  IFF_BROADCAST,
  IFF_DEBUG,
  IFF_LOOPBACK,
  IFF_POINTOPOINT,
  IFF_NOTRAILERS,
  IFF_RUNNING,
  IFF_NOARP,
  IFF_PROMISC,
  IFF_ALLMULTI,
  IFF_MASTER,
  IFF_SLAVE,
  IFF_MULTICAST,
  IFF_PORTSEL,
  IFF_AUTOMEDIA,
  IFF_DYNAMIC,
  IFF_LOWER_UP,
  IFF_DORMANT,
  IFF_ECHO,
});
