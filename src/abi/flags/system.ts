/**
 * Reboot, syslog, getrandom, kexec, modules.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';
import { O_NONBLOCK, O_TRUNC } from './open.js';

export const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
export const LINUX_REBOOT_MAGIC2 = 0x28121969;
export const LINUX_REBOOT_MAGIC2A = 0x5121996;
export const LINUX_REBOOT_MAGIC2B = 0x16041998;
export const LINUX_REBOOT_MAGIC2C = 0x20112000;
export const LINUX_REBOOT_CMD_RESTART = 0x1234567;
export const LINUX_REBOOT_CMD_HALT = 0xcdef0123;
export const LINUX_REBOOT_CMD_CAD_ON = 0x89abcdef;
export const LINUX_REBOOT_CMD_CAD_OFF = 0;
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc;
export const LINUX_REBOOT_CMD_RESTART2 = 0xa1b2c3d4;
export const LINUX_REBOOT_CMD_SW_SUSPEND = 0xd000fce2;
export const LINUX_REBOOT_CMD_KEXEC = 0x45584543;
export const SYSLOG_ACTION_CLOSE = 0;
export const SYSLOG_ACTION_OPEN = 1;
export const SYSLOG_ACTION_READ = 2;
export const SYSLOG_ACTION_READ_ALL = 3;
export const SYSLOG_ACTION_READ_CLEAR = 4;
export const SYSLOG_ACTION_CLEAR = 5;
export const SYSLOG_ACTION_CONSOLE_OFF = 6;
export const SYSLOG_ACTION_CONSOLE_ON = 7;
export const SYSLOG_ACTION_CONSOLE_LEVEL = 8;
export const SYSLOG_ACTION_SIZE_UNREAD = 9;
export const SYSLOG_ACTION_SIZE_BUFFER = 10;
export const GRND_NONBLOCK = 1;
export const GRND_RANDOM = 2;
export const GRND_INSECURE = 4;
export const KEXEC_ON_CRASH = 1;
export const KEXEC_PRESERVE_CONTEXT = 2;
export const KEXEC_ARCH_DEFAULT = 0;
export const KEXEC_ARCH_386 = 0x30000;
export const KEXEC_ARCH_68K = 0x40000;
export const KEXEC_ARCH_PARISC = 0xf0000;
export const KEXEC_ARCH_X86_64 = 0x3e0000;
export const KEXEC_ARCH_PPC = 0x140000;
export const KEXEC_ARCH_PPC64 = 0x150000;
export const KEXEC_ARCH_IA_64 = 0x320000;
export const KEXEC_ARCH_ARM = 0x280000;
export const KEXEC_ARCH_S390 = 0x160000;
export const KEXEC_ARCH_SH = 0x2a0000;
export const KEXEC_ARCH_MIPS_LE = 0xa0000;
export const KEXEC_ARCH_MIPS = 0x80000;
export const KEXEC_ARCH_AARCH64 = 0xb70000;
export const KEXEC_ARCH_RISCV = 0xf30000;
export const KEXEC_ARCH_LOONGARCH = 0x1020000;
export const KEXEC_FILE_UNLOAD = 1;
export const KEXEC_FILE_ON_CRASH = 2;
export const KEXEC_FILE_NO_INITRAMFS = 4;
export const MODULE_INIT_IGNORE_MODVERSIONS = 1;
export const MODULE_INIT_IGNORE_VERMAGIC = 2;
export const MODULE_INIT_COMPRESSED_FILE = 4;

/** strace: bootflags1. */
export const bootflags1 = flagSet('LINUX_REBOOT_MAGIC_???', { LINUX_REBOOT_MAGIC1 });

/** strace: bootflags2. */
export const bootflags2 = flagSet('LINUX_REBOOT_MAGIC_???', {
  LINUX_REBOOT_MAGIC2,
  LINUX_REBOOT_MAGIC2A,
  LINUX_REBOOT_MAGIC2B,
  LINUX_REBOOT_MAGIC2C,
});

/** strace: bootflags3. */
export const bootflags3 = flagSet('LINUX_REBOOT_CMD_???', {
  LINUX_REBOOT_CMD_RESTART,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_CAD_ON,
  LINUX_REBOOT_CMD_CAD_OFF,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART2,
  LINUX_REBOOT_CMD_SW_SUSPEND,
  LINUX_REBOOT_CMD_KEXEC,
});

/** strace: syslog_action_type. */
export const syslog_action_type = flagSet('SYSLOG_ACTION_???', {
  SYSLOG_ACTION_CLOSE,
  SYSLOG_ACTION_OPEN,
  SYSLOG_ACTION_READ,
  SYSLOG_ACTION_READ_ALL,
  SYSLOG_ACTION_READ_CLEAR,
  SYSLOG_ACTION_CLEAR,
  SYSLOG_ACTION_CONSOLE_OFF,
  SYSLOG_ACTION_CONSOLE_ON,
  SYSLOG_ACTION_CONSOLE_LEVEL,
  SYSLOG_ACTION_SIZE_UNREAD,
  SYSLOG_ACTION_SIZE_BUFFER,
});

/** strace: getrandom_flags. */
export const getrandom_flags = flagSet('GRND_???', { GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE });

/** strace: kexec_load_flags. */
export const kexec_load_flags = flagSet('KEXEC_???', { KEXEC_ON_CRASH, KEXEC_PRESERVE_CONTEXT });

/** strace: kexec_arch_values. */
export const kexec_arch_values = flagSet('KEXEC_ARCH_???', {
  KEXEC_ARCH_DEFAULT,
  KEXEC_ARCH_386,
  KEXEC_ARCH_68K,
  KEXEC_ARCH_PARISC,
  KEXEC_ARCH_X86_64,
  KEXEC_ARCH_PPC,
  KEXEC_ARCH_PPC64,
  KEXEC_ARCH_IA_64,
  KEXEC_ARCH_ARM,
  KEXEC_ARCH_S390,
  KEXEC_ARCH_SH,
  KEXEC_ARCH_MIPS_LE,
  KEXEC_ARCH_MIPS,
  KEXEC_ARCH_AARCH64,
  KEXEC_ARCH_RISCV,
  KEXEC_ARCH_LOONGARCH,
});

/** strace: kexec_file_load_flags. */
export const kexec_file_load_flags = flagSet('KEXEC_FILE_???', {
  KEXEC_FILE_UNLOAD,
  KEXEC_FILE_ON_CRASH,
  KEXEC_FILE_NO_INITRAMFS,
});

/** strace: module_init_flags. */
export const module_init_flags = flagSet('MODULE_INIT_???', {
  MODULE_INIT_IGNORE_MODVERSIONS,
  MODULE_INIT_IGNORE_VERMAGIC,
  MODULE_INIT_COMPRESSED_FILE,
});

/** strace: delete_module_flags. */
export const delete_module_flags = flagSet('O_???', { O_NONBLOCK, O_TRUNC });
