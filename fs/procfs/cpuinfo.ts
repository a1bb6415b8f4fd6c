/** /proc/cpuinfo as each architecture prints it (arch/x86/kernel/cpu/proc.c, arch/arm64/kernel/cpuinfo.c). */
import type { KernelState } from '../../sched/kernel-state.js';
import type { ArchName } from '../../src/abi/types.js';

const X86_FLAGS =
  'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx lm ' +
  'constant_tsc rep_good nopl cpuid pni ssse3 cx16 sse4_1 sse4_2 popcnt hypervisor lahf_lm';

/** Names of the bits of AT_HWCAP and AT_HWCAP2 on aarch64 (hwcap_str). */
const HWCAP = (
  'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 ' +
  'asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg'
).split(' ');
const HWCAP2 = (
  'dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint svei8mm svef32mm svef64mm svebf16 i8mm bf16 dgh rng ' +
  'bti mte ecv afp rpres mte3 sme smei16i64 smef64f64 smei8i32 smef16f32 smeb16f32 smef32f32 smefa64 wfxt ebf16 sveebf16 ' +
  'cssc rprfm sve2p1 sme2 sme2p1 smei16i32 smebi32i32 smeb16b16 smef16f16 mops hbc sveb16b16 lrcpc3 lse128 fpmr lut ' +
  'faminmax f8cvt f8fma f8dp4 f8dp2 f8e4m3 f8e5m2'
).split(' ');

/** Words of 64 bits are numbers here: the highest bits may be lost, the names end well before them. */
const named = (names: readonly string[], bits: number): string[] =>
  names.filter((_name, i) => Math.floor(bits / 2 ** i) % 2 === 1);

const DESCRIBE: Readonly<Record<ArchName, (kernel: KernelState, cpu: number) => string>> = {
  x86_64: (kernel, cpu) =>
    `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 0\nmodel name\t: levitate virtual CPU\n` +
    `stepping\t: 0\nmicrocode\t: 0x1\ncpu MHz\t\t: 2000.000\ncache size\t: 4096 KB\nphysical id\t: 0\n` +
    `siblings\t: ${kernel.cpus}\ncore id\t\t: ${cpu}\ncpu cores\t: ${kernel.cpus}\napicid\t\t: ${cpu}\n` +
    `initial apicid\t: ${cpu}\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\nflags\t\t: ${X86_FLAGS}\n` +
    'bugs\t\t:\nbogomips\t: 4000.00\nclflush size\t: 64\ncache_alignment\t: 64\n' +
    'address sizes\t: 46 bits physical, 48 bits virtual\npower management:\n\n',
  aarch64({ platform: { auxv } }, cpu) {
    const features = [...named(HWCAP, auxv.hwcap), ...named(HWCAP2, auxv.hwcap2)];
    return (
      `processor\t: ${cpu}\nBogoMIPS\t: 100.00\nFeatures\t: ${features.join(' ')}\nCPU implementer\t: 0x41\n` +
      'CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd03\nCPU revision\t: 0\n\n'
    );
  },
};

export function cpuinfoText(kernel: KernelState): string {
  if (kernel.cpuinfo !== undefined) return kernel.cpuinfo;
  const describe = DESCRIBE[kernel.platform.arch];
  return Array.from({ length: kernel.cpus }, (_, cpu) => describe(kernel, cpu)).join('');
}
