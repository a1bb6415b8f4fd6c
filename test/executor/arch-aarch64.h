/* AArch64: entry, raw system call, spawn, touch, restorer, register check. */
#define NR_dup3 24
#define NR_fcntl 25
#define NR_mkdirat 34
#define NR_prlimit64 261
#define NR_mount 40
#define NR_umount2 39
#define NR_pivot_root 41
#define NR_chdir 49
#define NR_openat 56
#define NR_close 57
#define NR_lseek 62
#define NR_read 63
#define NR_write 64
#define NR_exit 93
#define NR_exit_group 94
#define NR_nanosleep 101
#define NR_clock_gettime 113
#define NR_sched_yield 124
#define NR_kill 129
#define NR_rt_sigaction 134
#define NR_rt_sigprocmask 135
#define NR_rt_sigtimedwait 137
#define NR_setsid 157
#define NR_umask 166
#define NR_prctl 167
#define NR_clone 220
#define NR_mmap 222
#define NR_wait4 260

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = nr;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
}

/* The registers that the kernel starts a program with: all but x16 and x17, which hold the address and a scratch. */
extern u64 entry_registers[32];

__asm__(".globl _start\n"
        "_start:\n"
        "  adrp x16, entry_registers\n  add x16, x16, :lo12:entry_registers\n"
        "  stp x0, x1, [x16, #0]\n     stp x2, x3, [x16, #16]\n    stp x4, x5, [x16, #32]\n"
        "  stp x6, x7, [x16, #48]\n    stp x8, x9, [x16, #64]\n    stp x10, x11, [x16, #80]\n"
        "  stp x12, x13, [x16, #96]\n  stp x14, x15, [x16, #112]\n stp x18, x19, [x16, #128]\n"
        "  stp x20, x21, [x16, #144]\n stp x22, x23, [x16, #160]\n stp x24, x25, [x16, #176]\n"
        "  stp x26, x27, [x16, #192]\n stp x28, x29, [x16, #208]\n str x30, [x16, #224]\n"
        "  mov x0, sp\n"
        "  mov x29, #0\n  mov x30, #0\n"
        "  bl start\n"
        "  brk #1\n"

        /* long spawn(long nr, long *args, void (*child)(void *), void *arg, long stack) */
        ".globl spawn\n"
        "spawn:\n"
        "  stp x29, x30, [sp, #-48]!\n  stp x19, x20, [sp, #16]\n  str x21, [sp, #32]\n"
        "  mov x19, x2\n  mov x20, x3\n  mov x21, x4\n"
        "  mov x8, x0\n  mov x9, x1\n"
        "  ldp x0, x1, [x9, #0]\n  ldp x2, x3, [x9, #16]\n  ldp x4, x5, [x9, #32]\n"
        "  svc #0\n"
        "  cbz x0, 1f\n"
        "  ldr x21, [sp, #32]\n  ldp x19, x20, [sp, #16]\n  ldp x29, x30, [sp], #48\n"
        "  ret\n"
        "1: cbz x21, 2f\n"
        "  mov sp, x21\n"
        "2: mov x0, x20\n"
        "  mov x29, #0\n  mov x30, #0\n"
        "  blr x19\n"
        "  brk #1\n"

        /* Without SA_SIGINFO nothing points to the frame, but the stack pointer does: a siginfo, then a ucontext. */
        ".globl signal_entry\n"
        "signal_entry:\n  mov x1, sp\n  add x2, sp, #128\n  b on_signal\n"

        ".globl touch_read, touch_write, touch_execute, touch_end, touch_failed, function_return, restorer\n"
        "touch_read:\n    ldrb w0, [x0]\n  ret\n"
        "touch_write:\n   mov w1, #0x5a\n  strb w1, [x0]\n  mov x0, #0\n  ret\n"
        "touch_end:\n"
        "touch_execute:\n stp x29, x30, [sp, #-16]!\n  blr x0\n  ldp x29, x30, [sp], #16\n  mov x0, #0\n  ret\n"
        "touch_execute_failed:\n  ldp x29, x30, [sp], #16\n"
        "touch_failed:\n  mov x0, #-1\n"
        "function_return:\n  ret\n"
        "restorer:\n  mov x8, #139\n  svc #0\n"

        /* long registers(long nr, long *args, u64 *out): every other register holds a pattern at the call. */
        ".globl registers\n"
        "registers:\n"
        "  stp x29, x30, [sp, #-112]!\n  stp x19, x20, [sp, #16]\n  stp x21, x22, [sp, #32]\n"
        "  stp x23, x24, [sp, #48]\n     stp x25, x26, [sp, #64]\n  stp x27, x28, [sp, #80]\n"
        "  str x2, [sp, #96]\n"
        "  mov x8, x0\n  mov x9, x1\n"
        "  ldp x0, x1, [x9, #0]\n  ldp x2, x3, [x9, #16]\n  ldp x4, x5, [x9, #32]\n"
        "  mov x6, #0x1106\n  mov x7, #0x1107\n  mov x9, #0x1109\n  mov x10, #0x110a\n  mov x11, #0x110b\n"
        "  mov x12, #0x110c\n mov x13, #0x110d\n mov x14, #0x110e\n mov x15, #0x110f\n mov x16, #0x1110\n"
        "  mov x17, #0x1111\n mov x18, #0x1112\n mov x19, #0x1113\n mov x20, #0x1114\n mov x21, #0x1115\n"
        "  mov x22, #0x1116\n mov x23, #0x1117\n mov x24, #0x1118\n mov x25, #0x1119\n mov x26, #0x111a\n"
        "  mov x27, #0x111b\n mov x28, #0x111c\n mov x29, #0x111d\n mov x30, #0x111e\n"
        "  fmov d0, x19\n  fmov d7, x20\n  fmov d8, x21\n  fmov d31, x22\n"
        "  svc #0\n"
        "  str x0, [sp, #104]\n"
        "  ldr x0, [sp, #96]\n" /* out */
        "  stp x1, x2, [x0, #0]\n     stp x3, x4, [x0, #16]\n     stp x5, x6, [x0, #32]\n"
        "  stp x7, x8, [x0, #48]\n    stp x9, x10, [x0, #64]\n    stp x11, x12, [x0, #80]\n"
        "  stp x13, x14, [x0, #96]\n  stp x15, x16, [x0, #112]\n  stp x17, x18, [x0, #128]\n"
        "  stp x19, x20, [x0, #144]\n stp x21, x22, [x0, #160]\n  stp x23, x24, [x0, #176]\n"
        "  stp x25, x26, [x0, #192]\n stp x27, x28, [x0, #208]\n  stp x29, x30, [x0, #224]\n"
        "  stp d0, d7, [x0, #240]\n   stp d8, d31, [x0, #256]\n"
        "  ldr x0, [sp, #104]\n"
        "  ldp x27, x28, [sp, #80]\n  ldp x25, x26, [sp, #64]\n  ldp x23, x24, [sp, #48]\n"
        "  ldp x21, x22, [sp, #32]\n  ldp x19, x20, [sp, #16]\n  ldp x29, x30, [sp], #112\n"
        "  ret\n");

#define REGISTERS 34

extern char touch_execute_failed[], signal_entry[];

static inline u64 current_sp(void) {
  u64 sp;
  __asm__ volatile("mov %0, sp" : "=r"(sp));
  return sp;
}

/* ucontext: flags, link, stack (24 bytes), mask, padding to 176: fault address, x0..x30, sp, pc, pstate */
static inline u64 *uc_mask(u64 *uc) { return uc + 5; }
static inline u64 *uc_sp(u64 *uc) { return uc + 54; }
static inline u64 *uc_pc(u64 *uc) { return uc + 55; }
static inline u64 uc_trap(u64 *uc) { return 0 * uc[0]; }
static inline u64 uc_fault(u64 *uc) { return uc[22]; }
static inline void uc_fail_execute(u64 *uc) { *uc_pc(uc) = (u64)touch_execute_failed; }
static inline void cpu_relax(void) { __asm__ volatile("yield" ::: "memory"); }
