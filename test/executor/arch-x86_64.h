/* x86_64: entry, raw system call, spawn, touch, restorer, register check. */
#define NR_read 0
#define NR_write 1
#define NR_close 3
#define NR_lseek 8
#define NR_mmap 9
#define NR_rt_sigaction 13
#define NR_rt_sigprocmask 14
#define NR_sched_yield 24
#define NR_nanosleep 35
#define NR_clone 56
#define NR_exit 60
#define NR_wait4 61
#define NR_kill 62
#define NR_fcntl 72
#define NR_umask 95
#define NR_setsid 112
#define NR_pivot_root 155
#define NR_prctl 157
#define NR_prlimit64 302
#define NR_mount 165
#define NR_umount2 166
#define NR_rt_sigtimedwait 128
#define NR_chdir 80
#define NR_clock_gettime 228
#define NR_exit_group 231
#define NR_openat 257
#define NR_mkdirat 258
#define NR_dup3 292

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* The registers that the kernel starts a program with, in the order of the stores below. */
extern u64 entry_registers[32];

__asm__(".globl _start\n"
        "_start:\n"
        "  mov %rax, entry_registers+0(%rip)\n  mov %rbx, entry_registers+8(%rip)\n"
        "  mov %rcx, entry_registers+16(%rip)\n mov %rdx, entry_registers+24(%rip)\n"
        "  mov %rsi, entry_registers+32(%rip)\n mov %rdi, entry_registers+40(%rip)\n"
        "  mov %rbp, entry_registers+48(%rip)\n mov %r8, entry_registers+56(%rip)\n"
        "  mov %r9, entry_registers+64(%rip)\n  mov %r10, entry_registers+72(%rip)\n"
        "  mov %r11, entry_registers+80(%rip)\n mov %r12, entry_registers+88(%rip)\n"
        "  mov %r13, entry_registers+96(%rip)\n mov %r14, entry_registers+104(%rip)\n"
        "  mov %r15, entry_registers+112(%rip)\n"
        "  mov %rsp, %rdi\n"
        "  and $-16, %rsp\n"
        "  xor %ebp, %ebp\n"
        "  call start\n"
        "  hlt\n"

        /* long spawn(long nr, long *args, void (*child)(void *), void *arg, long stack) */
        ".globl spawn\n"
        "spawn:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n"
        "  mov %rdx, %rbx\n  mov %rcx, %rbp\n  mov %r8, %r12\n"
        "  mov %rdi, %rax\n  mov %rsi, %r11\n"
        "  mov 0(%r11), %rdi\n   mov 8(%r11), %rsi\n   mov 16(%r11), %rdx\n"
        "  mov 24(%r11), %r10\n  mov 32(%r11), %r8\n   mov 40(%r11), %r9\n"
        "  syscall\n"
        "  test %rax, %rax\n"
        "  jz 1f\n"
        "  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n"
        "1: test %r12, %r12\n"
        "  cmovnz %r12, %rsp\n"
        "  and $-16, %rsp\n"
        "  mov %rbp, %rdi\n"
        "  xor %ebp, %ebp\n"
        "  call *%rbx\n"
        "  hlt\n"

        ".globl touch_read, touch_write, touch_execute, touch_end, touch_failed, function_return, restorer\n"
        "touch_read:\n    movzbl (%rdi), %eax\n  ret\n"
        "touch_write:\n   movb $0x5a, (%rdi)\n   xor %eax, %eax\n  ret\n"
        "touch_end:\n"
        "touch_execute:\n sub $8, %rsp\n  call *%rdi\n  add $8, %rsp\n  xor %eax, %eax\n  ret\n"
        "touch_execute_failed:\n  add $16, %rsp\n"
        "touch_failed:\n  mov $-1, %rax\n"
        "function_return:\n  ret\n"
        "restorer:\n  mov $15, %eax\n  syscall\n"

        /* long registers(long nr, long *args, u64 *out): every other register holds a pattern at the call. */
        ".globl registers\n"
        "registers:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  push %rdx\n"
        "  mov %rdi, %rax\n  mov %rsi, %r11\n"
        "  movabs $0x1111111111111111, %rbx\n  movabs $0x2222222222222222, %rbp\n"
        "  movabs $0x3333333333333333, %r12\n  movabs $0x4444444444444444, %r13\n"
        "  movabs $0x5555555555555555, %r14\n  movabs $0x6666666666666666, %r15\n"
        "  movq %rbx, %xmm0\n   movq %rbp, %xmm1\n   movq %r12, %xmm2\n   movq %r13, %xmm3\n"
        "  movq %r14, %xmm7\n   movq %r15, %xmm8\n   movq %rbx, %xmm14\n  movq %r13, %xmm15\n"
        "  mov 0(%r11), %rdi\n   mov 8(%r11), %rsi\n   mov 16(%r11), %rdx\n"
        "  mov 24(%r11), %r10\n  mov 32(%r11), %r8\n   mov 40(%r11), %r9\n"
        "  std\n"
        "  syscall\n"
        "registers_after:\n"
        "  pushfq\n"
        "  cld\n"
        "  push %rbx\n"
        "  mov 16(%rsp), %rbx\n" /* out */
        "  mov %rcx, 0(%rbx)\n  mov %rdx, 8(%rbx)\n  mov %rsi, 16(%rbx)\n  mov %rdi, 24(%rbx)\n"
        "  mov %rbp, 32(%rbx)\n mov %r8, 40(%rbx)\n  mov %r9, 48(%rbx)\n   mov %r10, 56(%rbx)\n"
        "  mov %r11, 64(%rbx)\n mov %r12, 72(%rbx)\n mov %r13, 80(%rbx)\n  mov %r14, 88(%rbx)\n"
        "  mov %r15, 96(%rbx)\n"
        "  lea registers_after(%rip), %rdx\n  sub %rdx, 0(%rbx)\n" /* rcx: 0 if it is the return address */
        "  pop %rdx\n  mov %rdx, 104(%rbx)\n"                      /* rbx */
        "  pop %rdx\n  mov %rdx, 112(%rbx)\n  xor %rdx, 64(%rbx)\n" /* flags; r11: 0 if it holds them */
        "  movq %xmm0, 120(%rbx)\n  movq %xmm1, 128(%rbx)\n  movq %xmm2, 136(%rbx)\n  movq %xmm3, 144(%rbx)\n"
        "  movq %xmm7, 152(%rbx)\n  movq %xmm8, 160(%rbx)\n  movq %xmm14, 168(%rbx)\n movq %xmm15, 176(%rbx)\n"
        "  pop %rdx\n  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n");

#define REGISTERS 23

extern char touch_execute_failed[];

static inline u64 current_sp(void) {
  u64 sp;
  __asm__ volatile("mov %%rsp, %0" : "=r"(sp));
  return sp;
}

/* ucontext: flags, link, stack (24 bytes), 23 general registers, fpstate, 8 reserved, mask */
static inline u64 *uc_mask(u64 *uc) { return uc + 37; }
static inline u64 *uc_sp(u64 *uc) { return uc + 5 + 15; }
static inline u64 *uc_pc(u64 *uc) { return uc + 5 + 16; }
static inline u64 uc_trap(u64 *uc) { return uc[5 + 20]; }
static inline u64 uc_fault(u64 *uc) { return uc[5 + 22]; }
static inline void uc_fail_execute(u64 *uc) { *uc_pc(uc) = (u64)touch_execute_failed; }
#define signal_entry on_signal
static inline void cpu_relax(void) { __asm__ volatile("pause" ::: "memory"); }
