/**
 * netlink(7): message types and flags.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const NLM_F_REQUEST = 1;
export const NLM_F_MULTI = 2;
export const NLM_F_ACK = 4;
export const NLM_F_ECHO = 8;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP_FILTERED = 0x20;
export const NLM_F_DUMP = 0x300;
export const NLM_F_ROOT = 0x100;
export const NLM_F_MATCH = 0x200;
export const NLM_F_ATOMIC = 0x400;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_NONREC = 0x100;
export const NLM_F_BULK = 0x200;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
export const RTM_GETRULE = 34;
export const RTM_NEWQDISC = 36;
export const RTM_DELQDISC = 37;
export const RTM_GETQDISC = 38;
export const RTM_NEWTCLASS = 40;
export const RTM_DELTCLASS = 41;
export const RTM_GETTCLASS = 42;
export const RTM_NEWTFILTER = 44;
export const RTM_DELTFILTER = 45;
export const RTM_GETTFILTER = 46;
export const RTM_NEWACTION = 48;
export const RTM_DELACTION = 49;
export const RTM_GETACTION = 50;
export const RTM_NEWPREFIX = 52;
export const RTM_GETMULTICAST = 58;
export const RTM_GETANYCAST = 62;
export const RTM_NEWNEIGHTBL = 64;
export const RTM_GETNEIGHTBL = 66;
export const RTM_SETNEIGHTBL = 67;
export const RTM_NEWNDUSEROPT = 68;
export const RTM_NEWADDRLABEL = 72;
export const RTM_DELADDRLABEL = 73;
export const RTM_GETADDRLABEL = 74;
export const RTM_GETDCB = 78;
export const RTM_SETDCB = 79;
export const RTM_NEWNETCONF = 80;
export const RTM_DELNETCONF = 81;
export const RTM_GETNETCONF = 82;
export const RTM_NEWMDB = 84;
export const RTM_DELMDB = 85;
export const RTM_GETMDB = 86;
export const RTM_NEWNSID = 88;
export const RTM_DELNSID = 89;
export const RTM_GETNSID = 90;
export const RTM_NEWSTATS = 92;
export const RTM_GETSTATS = 94;
export const RTM_NEWCACHEREPORT = 96;
export const RTM_NEWCHAIN = 100;
export const RTM_DELCHAIN = 101;
export const RTM_GETCHAIN = 102;
export const RTM_NEWNEXTHOP = 104;
export const RTM_DELNEXTHOP = 105;
export const RTM_GETNEXTHOP = 106;
export const RTM_NEWLINKPROP = 108;
export const RTM_DELLINKPROP = 109;
export const RTM_GETLINKPROP = 110;
export const RTM_NEWVLAN = 112;
export const RTM_DELVLAN = 113;
export const RTM_GETVLAN = 114;
export const RTM_NEWNEXTHOPBUCKET = 116;
export const RTM_DELNEXTHOPBUCKET = 117;
export const RTM_GETNEXTHOPBUCKET = 118;

/** strace: netlink_types. */
export const netlink_types = flagSet('', { NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN });

/** strace: netlink_flags. */
export const netlink_flags = flagSet('NLM_F_???', {
  NLM_F_REQUEST,
  NLM_F_MULTI,
  NLM_F_ACK,
  NLM_F_ECHO,
  NLM_F_DUMP_INTR,
  NLM_F_DUMP_FILTERED,
});

/** strace: netlink_get_flags. */
export const netlink_get_flags = flagSet('', { NLM_F_DUMP, NLM_F_ROOT, NLM_F_MATCH, NLM_F_ATOMIC });

/** strace: netlink_new_flags. */
export const netlink_new_flags = flagSet('', { NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND });

/** strace: netlink_delete_flags. */
export const netlink_delete_flags = flagSet('', { NLM_F_NONREC, NLM_F_BULK });

/** strace: netlink_ack_flags. */
export const netlink_ack_flags = flagSet('', { NLM_F_CAPPED, NLM_F_ACK_TLVS });

/** strace: nl_route_types. */
export const nl_route_types = flagSet('RTM_???', {
  RTM_NEWLINK,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_SETLINK,
  RTM_NEWADDR,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWROUTE,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWNEIGH,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWRULE,
  RTM_DELRULE,
  RTM_GETRULE,
  RTM_NEWQDISC,
  RTM_DELQDISC,
  RTM_GETQDISC,
  RTM_NEWTCLASS,
  RTM_DELTCLASS,
  RTM_GETTCLASS,
  RTM_NEWTFILTER,
  RTM_DELTFILTER,
  RTM_GETTFILTER,
  RTM_NEWACTION,
  RTM_DELACTION,
  RTM_GETACTION,
  RTM_NEWPREFIX,
  RTM_GETMULTICAST,
  RTM_GETANYCAST,
  RTM_NEWNEIGHTBL,
  RTM_GETNEIGHTBL,
  RTM_SETNEIGHTBL,
  RTM_NEWNDUSEROPT,
  RTM_NEWADDRLABEL,
  RTM_DELADDRLABEL,
  RTM_GETADDRLABEL,
  RTM_GETDCB,
  RTM_SETDCB,
  RTM_NEWNETCONF,
  RTM_DELNETCONF,
  RTM_GETNETCONF,
  RTM_NEWMDB,
  RTM_DELMDB,
  RTM_GETMDB,
  RTM_NEWNSID,
  RTM_DELNSID,
  RTM_GETNSID,
  RTM_NEWSTATS,
  RTM_GETSTATS,
  RTM_NEWCACHEREPORT,
  RTM_NEWCHAIN,
  RTM_DELCHAIN,
  RTM_GETCHAIN,
  RTM_NEWNEXTHOP,
  RTM_DELNEXTHOP,
  RTM_GETNEXTHOP,
  RTM_NEWLINKPROP,
  RTM_DELLINKPROP,
  RTM_GETLINKPROP,
  RTM_NEWVLAN,
  RTM_DELVLAN,
  RTM_GETVLAN,
  RTM_NEWNEXTHOPBUCKET,
  RTM_DELNEXTHOPBUCKET,
  RTM_GETNEXTHOPBUCKET,
});
