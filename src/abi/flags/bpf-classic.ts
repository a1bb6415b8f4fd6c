/**
 * Classic BPF: the parts of an instruction's code, and the offsets with a meaning of their own (linux/filter.h).
 */
import { flagSet } from './flag-set.js';

export const bpf_class = flagSet('BPF_???', {
  BPF_LD: 0,
  BPF_LDX: 1,
  BPF_ST: 2,
  BPF_STX: 3,
  BPF_ALU: 4,
  BPF_JMP: 5,
  BPF_RET: 6,
  BPF_MISC: 7,
});
export const bpf_size = flagSet('BPF_???', { BPF_W: 0, BPF_H: 8, BPF_B: 0x10 });
export const bpf_mode = flagSet('BPF_???', {
  BPF_IMM: 0,
  BPF_ABS: 0x20,
  BPF_IND: 0x40,
  BPF_MEM: 0x60,
  BPF_LEN: 0x80,
  BPF_MSH: 0xa0,
});
export const bpf_source = flagSet('BPF_???', { BPF_K: 0, BPF_X: 8 });
export const bpf_result = flagSet('BPF_???', { BPF_K: 0, BPF_X: 8, BPF_A: 0x10 });
export const bpf_alu = flagSet('BPF_???', {
  BPF_ADD: 0,
  BPF_SUB: 0x10,
  BPF_MUL: 0x20,
  BPF_DIV: 0x30,
  BPF_OR: 0x40,
  BPF_AND: 0x50,
  BPF_LSH: 0x60,
  BPF_RSH: 0x70,
  BPF_NEG: 0x80,
  BPF_MOD: 0x90,
  BPF_XOR: 0xa0,
});
export const bpf_jump = flagSet('BPF_???', { BPF_JA: 0, BPF_JEQ: 0x10, BPF_JGT: 0x20, BPF_JGE: 0x30, BPF_JSET: 0x40 });
export const bpf_misc = flagSet('BPF_???', { BPF_TAX: 0, BPF_TXA: 0x80 });
export const skf_ad = flagSet('SKF_AD_???', {
  SKF_AD_PROTOCOL: 0,
  SKF_AD_PKTTYPE: 4,
  SKF_AD_IFINDEX: 8,
  SKF_AD_NLATTR: 12,
  SKF_AD_NLATTR_NEST: 16,
  SKF_AD_MARK: 20,
  SKF_AD_QUEUE: 24,
  SKF_AD_HATYPE: 28,
  SKF_AD_RXHASH: 32,
  SKF_AD_CPU: 36,
  SKF_AD_ALU_XOR_X: 40,
  SKF_AD_VLAN_TAG: 44,
  SKF_AD_VLAN_TAG_PRESENT: 48,
  SKF_AD_PAY_OFFSET: 52,
  SKF_AD_RANDOM: 56,
  SKF_AD_VLAN_TPID: 60,
});
/** Special offsets of socket filters, highest first. */
export const skf_off = flagSet('SKF_???_OFF', {
  SKF_AD_OFF: 0xffff_f000,
  SKF_NET_OFF: 0xfff0_0000,
  SKF_LL_OFF: 0xffe0_0000,
});
