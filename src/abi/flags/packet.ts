/**
 * packet(7): protocols, packet and hardware types.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const ETH_P_802_3 = 1;
export const ETH_P_AX25 = 2;
export const ETH_P_ALL = 3;
export const ETH_P_802_2 = 4;
export const ETH_P_SNAP = 5;
export const ETH_P_DDCMP = 6;
export const ETH_P_WAN_PPP = 7;
export const ETH_P_PPP_MP = 8;
export const ETH_P_LOCALTALK = 9;
export const ETH_P_CAN = 0xc;
export const ETH_P_CANFD = 0xd;
export const ETH_P_CANXL = 0xe;
export const ETH_P_PPPTALK = 0x10;
export const ETH_P_TR_802_2 = 0x11;
export const ETH_P_MOBITEX = 0x15;
export const ETH_P_CONTROL = 0x16;
export const ETH_P_IRDA = 0x17;
export const ETH_P_ECONET = 0x18;
export const ETH_P_HDLC = 0x19;
export const ETH_P_ARCNET = 0x1a;
export const ETH_P_DSA = 0x1b;
export const ETH_P_TRAILER = 0x1c;
export const ETH_P_LOOP = 0x60;
export const ETH_P_PHONET = 0xf5;
export const ETH_P_IEEE802154 = 0xf6;
export const ETH_P_CAIF = 0xf7;
export const ETH_P_XDSA = 0xf8;
export const ETH_P_MAP = 0xf9;
export const ETH_P_MCTP = 0xfa;
export const ETH_P_PUP = 0x200;
export const ETH_P_PUPAT = 0x201;
export const ETH_P_802_3_MIN = 0x600;
export const ETH_P_IP = 0x800;
export const ETH_P_X25 = 0x805;
export const ETH_P_ARP = 0x806;
export const ETH_P_BPQ = 0x8ff;
export const ETH_P_IEEEPUP = 0xa00;
export const ETH_P_IEEEPUPAT = 0xa01;
export const ETH_P_ERSPAN2 = 0x22eb;
export const ETH_P_TSN = 0x22f0;
export const ETH_P_BATMAN = 0x4305;
export const ETH_P_DEC = 0x6000;
export const ETH_P_DNA_DL = 0x6001;
export const ETH_P_DNA_RC = 0x6002;
export const ETH_P_DNA_RT = 0x6003;
export const ETH_P_LAT = 0x6004;
export const ETH_P_DIAG = 0x6005;
export const ETH_P_CUST = 0x6006;
export const ETH_P_SCA = 0x6007;
export const ETH_P_TEB = 0x6558;
export const ETH_P_RARP = 0x8035;
export const ETH_P_ATALK = 0x809b;
export const ETH_P_AARP = 0x80f3;
export const ETH_P_8021Q = 0x8100;
export const ETH_P_IPX = 0x8137;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_PAUSE = 0x8808;
export const ETH_P_SLOW = 0x8809;
export const ETH_P_WCCP = 0x883e;
export const ETH_P_MPLS_UC = 0x8847;
export const ETH_P_MPLS_MC = 0x8848;
export const ETH_P_ATMMPOA = 0x884c;
export const ETH_P_PPP_DISC = 0x8863;
export const ETH_P_PPP_SES = 0x8864;
export const ETH_P_LINK_CTL = 0x886c;
export const ETH_P_ATMFATE = 0x8884;
export const ETH_P_PAE = 0x888e;
export const ETH_P_REALTEK = 0x8899;
export const ETH_P_AOE = 0x88a2;
export const ETH_P_8021AD = 0x88a8;
export const ETH_P_802_EX1 = 0x88b5;
export const ETH_P_ERSPAN = 0x88be;
export const ETH_P_PREAUTH = 0x88c7;
export const ETH_P_TIPC = 0x88ca;
export const ETH_P_LLDP = 0x88cc;
export const ETH_P_MRP = 0x88e3;
export const ETH_P_MACSEC = 0x88e5;
export const ETH_P_8021AH = 0x88e7;
export const ETH_P_MVRP = 0x88f5;
export const ETH_P_1588 = 0x88f7;
export const ETH_P_NCSI = 0x88f8;
export const ETH_P_PRP = 0x88fb;
export const ETH_P_CFM = 0x8902;
export const ETH_P_FCOE = 0x8906;
export const ETH_P_TDLS = 0x890d;
export const ETH_P_FIP = 0x8914;
export const ETH_P_IBOE = 0x8915;
export const ETH_P_80221 = 0x8917;
export const ETH_P_HSR = 0x892f;
export const ETH_P_NSH = 0x894f;
export const ETH_P_LOOPBACK = 0x9000;
export const ETH_P_QINQ1 = 0x9100;
export const ETH_P_QINQ2 = 0x9200;
export const ETH_P_QINQ3 = 0x9300;
export const ETH_P_EDSA = 0xdada;
export const ETH_P_DSA_8021Q = 0xdadb;
export const ETH_P_DSA_A5PSW = 0xe001;
export const ETH_P_IFE = 0xed3e;
export const ETH_P_AF_IUCV = 0xfbfb;
export const PACKET_HOST = 0;
export const PACKET_BROADCAST = 1;
export const PACKET_MULTICAST = 2;
export const PACKET_OTHERHOST = 3;
export const PACKET_OUTGOING = 4;
export const PACKET_LOOPBACK = 5;
export const PACKET_USER = 6;
export const PACKET_KERNEL = 7;
export const ARPHRD_NETROM = 0;
export const ARPHRD_ETHER = 1;
export const ARPHRD_EETHER = 2;
export const ARPHRD_AX25 = 3;
export const ARPHRD_PRONET = 4;
export const ARPHRD_CHAOS = 5;
export const ARPHRD_IEEE802 = 6;
export const ARPHRD_ARCNET = 7;
export const ARPHRD_APPLETLK = 8;
export const ARPHRD_DLCI = 15;
export const ARPHRD_ATM = 19;
export const ARPHRD_METRICOM = 23;
export const ARPHRD_IEEE1394 = 24;
export const ARPHRD_EUI64 = 27;
export const ARPHRD_INFINIBAND = 32;
export const ARPHRD_SLIP = 256;
export const ARPHRD_CSLIP = 257;
export const ARPHRD_SLIP6 = 258;
export const ARPHRD_CSLIP6 = 259;
export const ARPHRD_RSRVD = 260;
export const ARPHRD_ADAPT = 264;
export const ARPHRD_ROSE = 270;
export const ARPHRD_X25 = 271;
export const ARPHRD_HWX25 = 272;
export const ARPHRD_CAN = 280;
export const ARPHRD_MCTP = 290;
export const ARPHRD_PPP = 512;
export const ARPHRD_CISCO = 513;
export const ARPHRD_LAPB = 516;
export const ARPHRD_DDCMP = 517;
export const ARPHRD_RAWHDLC = 518;
export const ARPHRD_RAWIP = 519;
export const ARPHRD_TUNNEL = 768;
export const ARPHRD_TUNNEL6 = 769;
export const ARPHRD_FRAD = 770;
export const ARPHRD_SKIP = 771;
export const ARPHRD_LOOPBACK = 772;
export const ARPHRD_LOCALTLK = 773;
export const ARPHRD_FDDI = 774;
export const ARPHRD_BIF = 775;
export const ARPHRD_SIT = 776;
export const ARPHRD_IPDDP = 777;
export const ARPHRD_IPGRE = 778;
export const ARPHRD_PIMREG = 779;
export const ARPHRD_HIPPI = 780;
export const ARPHRD_ASH = 781;
export const ARPHRD_ECONET = 782;
export const ARPHRD_IRDA = 783;
export const ARPHRD_FCPP = 784;
export const ARPHRD_FCAL = 785;
export const ARPHRD_FCPL = 786;
export const ARPHRD_FCFABRIC = 787;
export const ARPHRD_IEEE802_TR = 800;
export const ARPHRD_IEEE80211 = 801;
export const ARPHRD_IEEE80211_PRISM = 802;
export const ARPHRD_IEEE80211_RADIOTAP = 803;
export const ARPHRD_IEEE802154 = 804;
export const ARPHRD_IEEE802154_MONITOR = 805;
export const ARPHRD_PHONET = 820;
export const ARPHRD_PHONET_PIPE = 821;
export const ARPHRD_CAIF = 822;
export const ARPHRD_IP6GRE = 823;
export const ARPHRD_NETLINK = 824;
export const ARPHRD_6LOWPAN = 825;
export const ARPHRD_VSOCKMON = 826;
export const ARPHRD_NONE = 65534;
export const ARPHRD_VOID = 65535;

/** strace: ethernet_protocols. */
export const ethernet_protocols = flagSet('ETH_P_???', {
  ETH_P_802_3,
  ETH_P_AX25,
  ETH_P_ALL,
  ETH_P_802_2,
  ETH_P_SNAP,
  ETH_P_DDCMP,
  ETH_P_WAN_PPP,
  ETH_P_PPP_MP,
  ETH_P_LOCALTALK,
  ETH_P_CAN,
  ETH_P_CANFD,
  ETH_P_CANXL,
  ETH_P_PPPTALK,
  ETH_P_TR_802_2,
  ETH_P_MOBITEX,
  ETH_P_CONTROL,
  ETH_P_IRDA,
  ETH_P_ECONET,
  ETH_P_HDLC,
  ETH_P_ARCNET,
  ETH_P_DSA,
  ETH_P_TRAILER,
  ETH_P_LOOP,
  ETH_P_PHONET,
  ETH_P_IEEE802154,
  ETH_P_CAIF,
  ETH_P_XDSA,
  ETH_P_MAP,
  ETH_P_MCTP,
  ETH_P_PUP,
  ETH_P_PUPAT,
  ETH_P_802_3_MIN,
  ETH_P_IP,
  ETH_P_X25,
  ETH_P_ARP,
  ETH_P_BPQ,
  ETH_P_IEEEPUP,
  ETH_P_IEEEPUPAT,
  ETH_P_ERSPAN2,
  ETH_P_TSN,
  ETH_P_BATMAN,
  ETH_P_DEC,
  ETH_P_DNA_DL,
  ETH_P_DNA_RC,
  ETH_P_DNA_RT,
  ETH_P_LAT,
  ETH_P_DIAG,
  ETH_P_CUST,
  ETH_P_SCA,
  ETH_P_TEB,
  ETH_P_RARP,
  ETH_P_ATALK,
  ETH_P_AARP,
  ETH_P_8021Q,
  ETH_P_IPX,
  ETH_P_IPV6,
  ETH_P_PAUSE,
  ETH_P_SLOW,
  ETH_P_WCCP,
  ETH_P_MPLS_UC,
  ETH_P_MPLS_MC,
  ETH_P_ATMMPOA,
  ETH_P_PPP_DISC,
  ETH_P_PPP_SES,
  ETH_P_LINK_CTL,
  ETH_P_ATMFATE,
  ETH_P_PAE,
  ETH_P_REALTEK,
  ETH_P_AOE,
  ETH_P_8021AD,
  ETH_P_802_EX1,
  ETH_P_ERSPAN,
  ETH_P_PREAUTH,
  ETH_P_TIPC,
  ETH_P_LLDP,
  ETH_P_MRP,
  ETH_P_MACSEC,
  ETH_P_8021AH,
  ETH_P_MVRP,
  ETH_P_1588,
  ETH_P_NCSI,
  ETH_P_PRP,
  ETH_P_CFM,
  ETH_P_FCOE,
  ETH_P_TDLS,
  ETH_P_FIP,
  ETH_P_IBOE,
  ETH_P_80221,
  ETH_P_HSR,
  ETH_P_NSH,
  ETH_P_LOOPBACK,
  ETH_P_QINQ1,
  ETH_P_QINQ2,
  ETH_P_QINQ3,
  ETH_P_EDSA,
  ETH_P_DSA_8021Q,
  ETH_P_DSA_A5PSW,
  ETH_P_IFE,
  ETH_P_AF_IUCV,
});

/** strace: af_packet_types. */
export const af_packet_types = flagSet('PACKET_???', {
  PACKET_HOST,
  PACKET_BROADCAST,
  PACKET_MULTICAST,
  PACKET_OTHERHOST,
  PACKET_OUTGOING,
  PACKET_LOOPBACK,
  PACKET_USER,
  PACKET_KERNEL,
});

/** strace: arp_hardware_types. */
export const arp_hardware_types = flagSet('ARPHRD_???', {
  ARPHRD_NETROM,
  ARPHRD_ETHER,
  ARPHRD_EETHER,
  ARPHRD_AX25,
  ARPHRD_PRONET,
  ARPHRD_CHAOS,
  ARPHRD_IEEE802,
  ARPHRD_ARCNET,
  ARPHRD_APPLETLK,
  ARPHRD_DLCI,
  ARPHRD_ATM,
  ARPHRD_METRICOM,
  ARPHRD_IEEE1394,
  ARPHRD_EUI64,
  ARPHRD_INFINIBAND,
  ARPHRD_SLIP,
  ARPHRD_CSLIP,
  ARPHRD_SLIP6,
  ARPHRD_CSLIP6,
  ARPHRD_RSRVD,
  ARPHRD_ADAPT,
  ARPHRD_ROSE,
  ARPHRD_X25,
  ARPHRD_HWX25,
  ARPHRD_CAN,
  ARPHRD_MCTP,
  ARPHRD_PPP,
  ARPHRD_CISCO,
  ARPHRD_LAPB,
  ARPHRD_DDCMP,
  ARPHRD_RAWHDLC,
  ARPHRD_RAWIP,
  ARPHRD_TUNNEL,
  ARPHRD_TUNNEL6,
  ARPHRD_FRAD,
  ARPHRD_SKIP,
  ARPHRD_LOOPBACK,
  ARPHRD_LOCALTLK,
  ARPHRD_FDDI,
  ARPHRD_BIF,
  ARPHRD_SIT,
  ARPHRD_IPDDP,
  ARPHRD_IPGRE,
  ARPHRD_PIMREG,
  ARPHRD_HIPPI,
  ARPHRD_ASH,
  ARPHRD_ECONET,
  ARPHRD_IRDA,
  ARPHRD_FCPP,
  ARPHRD_FCAL,
  ARPHRD_FCPL,
  ARPHRD_FCFABRIC,
  ARPHRD_IEEE802_TR,
  ARPHRD_IEEE80211,
  ARPHRD_IEEE80211_PRISM,
  ARPHRD_IEEE80211_RADIOTAP,
  ARPHRD_IEEE802154,
  ARPHRD_IEEE802154_MONITOR,
  ARPHRD_PHONET,
  ARPHRD_PHONET_PIPE,
  ARPHRD_CAIF,
  ARPHRD_IP6GRE,
  ARPHRD_NETLINK,
  ARPHRD_6LOWPAN,
  ARPHRD_VSOCKMON,
  ARPHRD_NONE,
  ARPHRD_VOID,
});
