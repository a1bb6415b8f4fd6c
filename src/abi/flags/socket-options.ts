/**
 * Socket option levels and options.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';
import {
  AF_VSOCK,
  SO_TIMESTAMPING_NEW,
  SO_TIMESTAMPING_OLD,
  SO_TIMESTAMPNS_NEW,
  SO_TIMESTAMPNS_OLD,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMP_OLD,
  SO_TXTIME,
  SO_WIFI_STATUS,
} from './socket.js';

export const SOL_IP = 0;
export const SOL_SOCKET = 1;
export const SOL_TCP = 6;
export const SOL_UDP = 17;
export const SOL_IPV6 = 41;
export const SOL_ICMPV6 = 58;
export const SOL_CAN_BASE = 100;
export const SOL_CAN_RAW = 101;
export const SOL_SCTP = 132;
export const SOL_UDPLITE = 136;
export const SOL_RAW = 255;
export const SOL_IPX = 256;
export const SOL_AX25 = 257;
export const SOL_ATALK = 258;
export const SOL_NETROM = 259;
export const SOL_ROSE = 260;
export const SOL_DECNET = 261;
export const SOL_X25 = 262;
export const SOL_PACKET = 263;
export const SOL_ATM = 264;
export const SOL_AAL = 265;
export const SOL_IRDA = 266;
export const SOL_NETBEUI = 267;
export const SOL_LLC = 268;
export const SOL_DCCP = 269;
export const SOL_NETLINK = 270;
export const SOL_TIPC = 271;
export const SOL_RXRPC = 272;
export const SOL_PPPOL2TP = 273;
export const SOL_BLUETOOTH = 274;
export const SOL_PNPIPE = 275;
export const SOL_RDS = 276;
export const SOL_IUCV = 277;
export const SOL_CAIF = 278;
export const SOL_ALG = 279;
export const SOL_NFC = 280;
export const SOL_KCM = 281;
export const SOL_TLS = 282;
export const SOL_XDP = 283;
export const SO_DEBUG = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_DONTROUTE = 5;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_NO_CHECK = 11;
export const SO_PRIORITY = 12;
export const SO_LINGER = 13;
export const SO_BSDCOMPAT = 14;
export const SO_REUSEPORT = 15;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_RCVLOWAT = 18;
export const SO_SNDLOWAT = 19;
export const SO_RCVTIMEO_OLD = 20;
export const SO_SNDTIMEO_OLD = 21;
export const SO_SECURITY_AUTHENTICATION = 22;
export const SO_SECURITY_ENCRYPTION_TRANSPORT = 23;
export const SO_SECURITY_ENCRYPTION_NETWORK = 24;
export const SO_BINDTODEVICE = 25;
export const SO_DETACH_FILTER = 27;
export const SO_PEERNAME = 28;
export const SO_ACCEPTCONN = 30;
export const SO_PEERSEC = 31;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_PASSSEC = 34;
export const SO_MARK = 36;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_RXQ_OVFL = 40;
export const SO_PEEK_OFF = 42;
export const SO_NOFCS = 43;
export const SO_LOCK_FILTER = 44;
export const SO_SELECT_ERR_QUEUE = 45;
export const SO_BUSY_POLL = 46;
export const SO_MAX_PACING_RATE = 47;
export const SO_BPF_EXTENSIONS = 48;
export const SO_INCOMING_CPU = 49;
export const SO_ATTACH_BPF = 50;
export const SO_ATTACH_REUSEPORT_CBPF = 51;
export const SO_ATTACH_REUSEPORT_EBPF = 52;
export const SO_CNX_ADVICE = 53;
export const SO_MEMINFO = 55;
export const SO_INCOMING_NAPI_ID = 56;
export const SO_COOKIE = 57;
export const SO_PEERGROUPS = 59;
export const SO_ZEROCOPY = 60;
export const SO_BINDTOIFINDEX = 62;
export const SO_RCVTIMEO_NEW = 66;
export const SO_SNDTIMEO_NEW = 67;
export const SO_DETACH_REUSEPORT_BPF = 68;
export const SO_PREFER_BUSY_POLL = 69;
export const SO_BUSY_POLL_BUDGET = 70;
export const SO_NETNS_COOKIE = 71;
export const SO_BUF_LOCK = 72;
export const SO_RESERVE_MEM = 73;
export const SO_TXREHASH = 74;
export const SO_RCVMARK = 75;
export const SO_GET_FILTER = 26;
export const SO_ATTACH_FILTER = 26;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_HDRINCL = 3;
export const IP_OPTIONS = 4;
export const IP_ROUTER_ALERT = 5;
export const IP_RECVOPTS = 6;
export const IP_RETOPTS = 7;
export const IP_PKTINFO = 8;
export const IP_PKTOPTIONS = 9;
export const IP_MTU_DISCOVER = 10;
export const IP_RECVERR = 11;
export const IP_RECVTTL = 12;
export const IP_RECVTOS = 13;
export const IP_MTU = 14;
export const IP_FREEBIND = 15;
export const IP_IPSEC_POLICY = 16;
export const IP_XFRM_POLICY = 17;
export const IP_PASSSEC = 18;
export const IP_TRANSPARENT = 19;
export const IP_ORIGDSTADDR = 20;
export const IP_MINTTL = 21;
export const IP_NODEFRAG = 22;
export const IP_CHECKSUM = 23;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IP_RECVFRAGSIZE = 25;
export const IP_RECVERR_RFC4884 = 26;
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_TTL = 33;
export const IP_MULTICAST_LOOP = 34;
export const IP_ADD_MEMBERSHIP = 35;
export const IP_DROP_MEMBERSHIP = 36;
export const IP_UNBLOCK_SOURCE = 37;
export const IP_BLOCK_SOURCE = 38;
export const IP_ADD_SOURCE_MEMBERSHIP = 39;
export const IP_DROP_SOURCE_MEMBERSHIP = 40;
export const IP_MSFILTER = 41;
export const MCAST_JOIN_GROUP = 42;
export const MCAST_BLOCK_SOURCE = 43;
export const MCAST_UNBLOCK_SOURCE = 44;
export const MCAST_LEAVE_GROUP = 45;
export const MCAST_JOIN_SOURCE_GROUP = 46;
export const MCAST_LEAVE_SOURCE_GROUP = 47;
export const MCAST_MSFILTER = 48;
export const IP_MULTICAST_ALL = 49;
export const IP_UNICAST_IF = 50;
export const IPV6_ADDRFORM = 1;
export const IPV6_2292PKTINFO = 2;
export const IPV6_2292HOPOPTS = 3;
export const IPV6_2292DSTOPTS = 4;
export const IPV6_2292RTHDR = 5;
export const IPV6_2292PKTOPTIONS = 6;
export const IPV6_CHECKSUM = 7;
export const IPV6_2292HOPLIMIT = 8;
export const IPV6_NEXTHOP = 9;
export const IPV6_AUTHHDR = 10;
export const IPV6_FLOWINFO = 11;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_MULTICAST_IF = 17;
export const IPV6_MULTICAST_HOPS = 18;
export const IPV6_MULTICAST_LOOP = 19;
export const IPV6_ADD_MEMBERSHIP = 20;
export const IPV6_DROP_MEMBERSHIP = 21;
export const IPV6_ROUTER_ALERT = 22;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_MTU = 24;
export const IPV6_RECVERR = 25;
export const IPV6_V6ONLY = 26;
export const IPV6_JOIN_ANYCAST = 27;
export const IPV6_LEAVE_ANYCAST = 28;
export const IPV6_MULTICAST_ALL = 29;
export const IPV6_ROUTER_ALERT_ISOLATE = 30;
export const IPV6_RECVERR_RFC4884 = 31;
export const IPV6_FLOWLABEL_MGR = 32;
export const IPV6_FLOWINFO_SEND = 33;
export const IPV6_IPSEC_POLICY = 34;
export const IPV6_XFRM_POLICY = 35;
export const IPV6_HDRINCL = 36;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_RECVHOPOPTS = 53;
export const IPV6_HOPOPTS = 54;
export const IPV6_RTHDRDSTOPTS = 55;
export const IPV6_RECVRTHDR = 56;
export const IPV6_RTHDR = 57;
export const IPV6_RECVDSTOPTS = 58;
export const IPV6_DSTOPTS = 59;
export const IPV6_RECVPATHMTU = 60;
export const IPV6_PATHMTU = 61;
export const IPV6_DONTFRAG = 62;
export const IPV6_USE_MIN_MTU = 63;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const IPV6_AUTOFLOWLABEL = 70;
export const IPV6_ADDR_PREFERENCES = 72;
export const IPV6_MINHOPCOUNT = 73;
export const IPV6_ORIGDSTADDR = 74;
export const IPV6_TRANSPARENT = 75;
export const IPV6_UNICAST_IF = 76;
export const IPV6_RECVFRAGSIZE = 77;
export const IPV6_FREEBIND = 78;
export const TCP_NODELAY = 1;
export const TCP_MAXSEG = 2;
export const TCP_CORK = 3;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_SYNCNT = 7;
export const TCP_LINGER2 = 8;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_WINDOW_CLAMP = 10;
export const TCP_INFO = 11;
export const TCP_QUICKACK = 12;
export const TCP_CONGESTION = 13;
export const TCP_MD5SIG = 14;
export const TCP_COOKIE_TRANSACTIONS = 15;
export const TCP_THIN_LINEAR_TIMEOUTS = 16;
export const TCP_THIN_DUPACK = 17;
export const TCP_USER_TIMEOUT = 18;
export const TCP_REPAIR = 19;
export const TCP_REPAIR_QUEUE = 20;
export const TCP_QUEUE_SEQ = 21;
export const TCP_REPAIR_OPTIONS = 22;
export const TCP_FASTOPEN = 23;
export const TCP_TIMESTAMP = 24;
export const TCP_NOTSENT_LOWAT = 25;
export const TCP_CC_INFO = 26;
export const TCP_SAVE_SYN = 27;
export const TCP_SAVED_SYN = 28;
export const TCP_REPAIR_WINDOW = 29;
export const TCP_FASTOPEN_CONNECT = 30;
export const TCP_ULP = 31;
export const TCP_MD5SIG_EXT = 32;
export const TCP_FASTOPEN_KEY = 33;
export const TCP_FASTOPEN_NO_COOKIE = 34;
export const TCP_ZEROCOPY_RECEIVE = 35;
export const TCP_INQ = 36;
export const TCP_TX_DELAY = 37;
export const UDP_CORK = 1;
export const UDP_ENCAP = 100;
export const UDP_NO_CHECK6_TX = 101;
export const UDP_NO_CHECK6_RX = 102;
export const UDP_SEGMENT = 103;
export const UDP_GRO = 104;
export const NETLINK_ADD_MEMBERSHIP = 1;
export const NETLINK_DROP_MEMBERSHIP = 2;
export const NETLINK_PKTINFO = 3;
export const NETLINK_BROADCAST_ERROR = 4;
export const NETLINK_NO_ENOBUFS = 5;
export const NETLINK_RX_RING = 6;
export const NETLINK_TX_RING = 7;
export const NETLINK_LISTEN_ALL_NSID = 8;
export const NETLINK_LIST_MEMBERSHIPS = 9;
export const NETLINK_CAP_ACK = 10;
export const NETLINK_EXT_ACK = 11;
export const NETLINK_GET_STRICT_CHK = 12;
export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_DROP_MEMBERSHIP = 2;
export const PACKET_RECV_OUTPUT = 3;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_COPY_THRESH = 7;
export const PACKET_AUXDATA = 8;
export const PACKET_ORIGDEV = 9;
export const PACKET_VERSION = 10;
export const PACKET_HDRLEN = 11;
export const PACKET_RESERVE = 12;
export const PACKET_TX_RING = 13;
export const PACKET_LOSS = 14;
export const PACKET_VNET_HDR = 15;
export const PACKET_TX_TIMESTAMP = 16;
export const PACKET_TIMESTAMP = 17;
export const PACKET_FANOUT = 18;
export const PACKET_TX_HAS_OFF = 19;
export const PACKET_QDISC_BYPASS = 20;
export const PACKET_ROLLOVER_STATS = 21;
export const PACKET_FANOUT_DATA = 22;
export const PACKET_IGNORE_OUTGOING = 23;
export const IPTOS_LOWDELAY = 0x10;
export const IPTOS_THROUGHPUT = 8;
export const IPTOS_RELIABILITY = 4;
export const IPTOS_MINCOST = 2;

/** strace: socketlayers. */
export const socketlayers = flagSet('SOL_??', {
  SOL_IP,
  SOL_SOCKET,
  SOL_TCP,
  SOL_UDP,
  AF_VSOCK,
  SOL_IPV6,
  SOL_ICMPV6,
  SOL_CAN_BASE,
  SOL_CAN_RAW,
  SOL_SCTP,
  SOL_UDPLITE,
  SOL_RAW,
  SOL_IPX,
  SOL_AX25,
  SOL_ATALK,
  SOL_NETROM,
  SOL_ROSE,
  SOL_DECNET,
  SOL_X25,
  SOL_PACKET,
  SOL_ATM,
  SOL_AAL,
  SOL_IRDA,
  SOL_NETBEUI,
  SOL_LLC,
  SOL_DCCP,
  SOL_NETLINK,
  SOL_TIPC,
  SOL_RXRPC,
  SOL_PPPOL2TP,
  SOL_BLUETOOTH,
  SOL_PNPIPE,
  SOL_RDS,
  SOL_IUCV,
  SOL_CAIF,
  SOL_ALG,
  SOL_NFC,
  SOL_KCM,
  SOL_TLS,
  SOL_XDP,
});

/** strace: sock_options. */
export const sock_options = flagSet('SO_???', {
  SO_DEBUG,
  SO_REUSEADDR,
  SO_TYPE,
  SO_ERROR,
  SO_DONTROUTE,
  SO_BROADCAST,
  SO_SNDBUF,
  SO_RCVBUF,
  SO_KEEPALIVE,
  SO_OOBINLINE,
  SO_NO_CHECK,
  SO_PRIORITY,
  SO_LINGER,
  SO_BSDCOMPAT,
  SO_REUSEPORT,
  SO_PASSCRED,
  SO_PEERCRED,
  SO_RCVLOWAT,
  SO_SNDLOWAT,
  SO_RCVTIMEO_OLD,
  SO_SNDTIMEO_OLD,
  SO_SECURITY_AUTHENTICATION,
  SO_SECURITY_ENCRYPTION_TRANSPORT,
  SO_SECURITY_ENCRYPTION_NETWORK,
  SO_BINDTODEVICE,
  SO_DETACH_FILTER,
  SO_PEERNAME,
  SO_TIMESTAMP_OLD,
  SO_ACCEPTCONN,
  SO_PEERSEC,
  SO_SNDBUFFORCE,
  SO_RCVBUFFORCE,
  SO_PASSSEC,
  SO_TIMESTAMPNS_OLD,
  SO_MARK,
  SO_TIMESTAMPING_OLD,
  SO_PROTOCOL,
  SO_DOMAIN,
  SO_RXQ_OVFL,
  SO_WIFI_STATUS,
  SO_PEEK_OFF,
  SO_NOFCS,
  SO_LOCK_FILTER,
  SO_SELECT_ERR_QUEUE,
  SO_BUSY_POLL,
  SO_MAX_PACING_RATE,
  SO_BPF_EXTENSIONS,
  SO_INCOMING_CPU,
  SO_ATTACH_BPF,
  SO_ATTACH_REUSEPORT_CBPF,
  SO_ATTACH_REUSEPORT_EBPF,
  SO_CNX_ADVICE,
  SO_MEMINFO,
  SO_INCOMING_NAPI_ID,
  SO_COOKIE,
  SO_PEERGROUPS,
  SO_ZEROCOPY,
  SO_TXTIME,
  SO_BINDTOIFINDEX,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMPNS_NEW,
  SO_TIMESTAMPING_NEW,
  SO_RCVTIMEO_NEW,
  SO_SNDTIMEO_NEW,
  SO_DETACH_REUSEPORT_BPF,
  SO_PREFER_BUSY_POLL,
  SO_BUSY_POLL_BUDGET,
  SO_NETNS_COOKIE,
  SO_BUF_LOCK,
  SO_RESERVE_MEM,
  SO_TXREHASH,
  SO_RCVMARK,
});

/** strace: getsock_options. */
export const getsock_options = flagSet('', { SO_GET_FILTER });

/** strace: setsock_options. */
export const setsock_options = flagSet('SO_???', { SO_ATTACH_FILTER });

/** strace: sock_ip_options. */
export const sock_ip_options = flagSet('IP_???', {
  IP_TOS,
  IP_TTL,
  IP_HDRINCL,
  IP_OPTIONS,
  IP_ROUTER_ALERT,
  IP_RECVOPTS,
  IP_RETOPTS,
  IP_PKTINFO,
  IP_PKTOPTIONS,
  IP_MTU_DISCOVER,
  IP_RECVERR,
  IP_RECVTTL,
  IP_RECVTOS,
  IP_MTU,
  IP_FREEBIND,
  IP_IPSEC_POLICY,
  IP_XFRM_POLICY,
  IP_PASSSEC,
  IP_TRANSPARENT,
  IP_ORIGDSTADDR,
  IP_MINTTL,
  IP_NODEFRAG,
  IP_CHECKSUM,
  IP_BIND_ADDRESS_NO_PORT,
  IP_RECVFRAGSIZE,
  IP_RECVERR_RFC4884,
  IP_MULTICAST_IF,
  IP_MULTICAST_TTL,
  IP_MULTICAST_LOOP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_UNBLOCK_SOURCE,
  IP_BLOCK_SOURCE,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP,
  IP_MSFILTER,
  MCAST_JOIN_GROUP,
  MCAST_BLOCK_SOURCE,
  MCAST_UNBLOCK_SOURCE,
  MCAST_LEAVE_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_MSFILTER,
  IP_MULTICAST_ALL,
  IP_UNICAST_IF,
});

/** strace: sock_ipv6_options. */
export const sock_ipv6_options = flagSet('IPV6_???', {
  IPV6_ADDRFORM,
  IPV6_2292PKTINFO,
  IPV6_2292HOPOPTS,
  IPV6_2292DSTOPTS,
  IPV6_2292RTHDR,
  IPV6_2292PKTOPTIONS,
  IPV6_CHECKSUM,
  IPV6_2292HOPLIMIT,
  IPV6_NEXTHOP,
  IPV6_AUTHHDR,
  IPV6_FLOWINFO,
  IPV6_UNICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_LOOP,
  IPV6_ADD_MEMBERSHIP,
  IPV6_DROP_MEMBERSHIP,
  IPV6_ROUTER_ALERT,
  IPV6_MTU_DISCOVER,
  IPV6_MTU,
  IPV6_RECVERR,
  IPV6_V6ONLY,
  IPV6_JOIN_ANYCAST,
  IPV6_LEAVE_ANYCAST,
  IPV6_MULTICAST_ALL,
  IPV6_ROUTER_ALERT_ISOLATE,
  IPV6_RECVERR_RFC4884,
  IPV6_FLOWLABEL_MGR,
  IPV6_FLOWINFO_SEND,
  IPV6_IPSEC_POLICY,
  IPV6_XFRM_POLICY,
  IPV6_HDRINCL,
  MCAST_JOIN_GROUP,
  MCAST_BLOCK_SOURCE,
  MCAST_UNBLOCK_SOURCE,
  MCAST_LEAVE_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_MSFILTER,
  IPV6_RECVPKTINFO,
  IPV6_PKTINFO,
  IPV6_RECVHOPLIMIT,
  IPV6_HOPLIMIT,
  IPV6_RECVHOPOPTS,
  IPV6_HOPOPTS,
  IPV6_RTHDRDSTOPTS,
  IPV6_RECVRTHDR,
  IPV6_RTHDR,
  IPV6_RECVDSTOPTS,
  IPV6_DSTOPTS,
  IPV6_RECVPATHMTU,
  IPV6_PATHMTU,
  IPV6_DONTFRAG,
  IPV6_USE_MIN_MTU,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IPV6_AUTOFLOWLABEL,
  IPV6_ADDR_PREFERENCES,
  IPV6_MINHOPCOUNT,
  IPV6_ORIGDSTADDR,
  IPV6_TRANSPARENT,
  IPV6_UNICAST_IF,
  IPV6_RECVFRAGSIZE,
  IPV6_FREEBIND,
});

/** strace: sock_tcp_options. */
export const sock_tcp_options = flagSet('TCP_???', {
  TCP_NODELAY,
  TCP_MAXSEG,
  TCP_CORK,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_KEEPCNT,
  TCP_SYNCNT,
  TCP_LINGER2,
  TCP_DEFER_ACCEPT,
  TCP_WINDOW_CLAMP,
  TCP_INFO,
  TCP_QUICKACK,
  TCP_CONGESTION,
  TCP_MD5SIG,
  TCP_COOKIE_TRANSACTIONS,
  TCP_THIN_LINEAR_TIMEOUTS,
  TCP_THIN_DUPACK,
  TCP_USER_TIMEOUT,
  TCP_REPAIR,
  TCP_REPAIR_QUEUE,
  TCP_QUEUE_SEQ,
  TCP_REPAIR_OPTIONS,
  TCP_FASTOPEN,
  TCP_TIMESTAMP,
  TCP_NOTSENT_LOWAT,
  TCP_CC_INFO,
  TCP_SAVE_SYN,
  TCP_SAVED_SYN,
  TCP_REPAIR_WINDOW,
  TCP_FASTOPEN_CONNECT,
  TCP_ULP,
  TCP_MD5SIG_EXT,
  TCP_FASTOPEN_KEY,
  TCP_FASTOPEN_NO_COOKIE,
  TCP_ZEROCOPY_RECEIVE,
  TCP_INQ,
  TCP_TX_DELAY,
});

/** strace: sock_udp_options. */
export const sock_udp_options = flagSet('UDP_???', {
  UDP_CORK,
  UDP_ENCAP,
  UDP_NO_CHECK6_TX,
  UDP_NO_CHECK6_RX,
  UDP_SEGMENT,
  UDP_GRO,
});

/** strace: sock_netlink_options. */
export const sock_netlink_options = flagSet('NETLINK_???', {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_DROP_MEMBERSHIP,
  NETLINK_PKTINFO,
  NETLINK_BROADCAST_ERROR,
  NETLINK_NO_ENOBUFS,
  NETLINK_RX_RING,
  NETLINK_TX_RING,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_LIST_MEMBERSHIPS,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
});

/** strace: sock_packet_options. */
export const sock_packet_options = flagSet('PACKET_???', {
  PACKET_ADD_MEMBERSHIP,
  PACKET_DROP_MEMBERSHIP,
  PACKET_RECV_OUTPUT,
  PACKET_RX_RING,
  PACKET_STATISTICS,
  PACKET_COPY_THRESH,
  PACKET_AUXDATA,
  PACKET_ORIGDEV,
  PACKET_VERSION,
  PACKET_HDRLEN,
  PACKET_RESERVE,
  PACKET_TX_RING,
  PACKET_LOSS,
  PACKET_VNET_HDR,
  PACKET_TX_TIMESTAMP,
  PACKET_TIMESTAMP,
  PACKET_FANOUT,
  PACKET_TX_HAS_OFF,
  PACKET_QDISC_BYPASS,
  PACKET_ROLLOVER_STATS,
  PACKET_FANOUT_DATA,
  PACKET_IGNORE_OUTGOING,
});

/** strace: ip_type_of_services. */
export const ip_type_of_services = flagSet('IPTOS_TOS_???', {
  IPTOS_LOWDELAY,
  IPTOS_THROUGHPUT,
  IPTOS_RELIABILITY,
  IPTOS_MINCOST,
});
