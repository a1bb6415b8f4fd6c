/*
 * System call sites of every common shape, with every register checked around each call: general ones, flags, SSE, the red
 * zone. Prints one line per shape: a digest of all that was there after each call, the same whoever serves the calls.
 *
 * registers ROUNDS [slowly]: `slowly` puts calls in between that always stop, so that nobody starts to poll.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15 };

struct state {
  uint64_t gpr[16], flags, mxcsr;
  uint8_t xmm[16][16] __attribute__((aligned(16)));
};
struct state in, out;
uint64_t target, kept_rsp, stack[512] __attribute__((aligned(4096)));
uint64_t spare[8], scratch_stack[64] __attribute__((aligned(64)));
void run(void);
extern char landed[];

#define LOAD(reg, at) "mov in+8*" #at "(%rip), %" #reg "\n"
#define SAVE(reg, at) "mov %" #reg ", out+8*" #at "(%rip)\n"
#define EACH(f) \
  f(rax, 0) f(rbx, 1) f(rcx, 2) f(rdx, 3) f(rsi, 4) f(rdi, 5) f(rbp, 6) f(rsp, 7) f(r8, 8) f(r9, 9) f(r10, 10) f(r11, 11) \
      f(r12, 12) f(r13, 13) f(r14, 14) f(r15, 15)
#define LOADX(i) "movaps in+144+16*" #i "(%rip), %xmm" #i "\n"
#define SAVEX(i) "movaps %xmm" #i ", out+144+16*" #i "(%rip)\n"
#define EACHX(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15)

asm(".text\n.globl run\n.p2align 4\nrun:\n"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "mov %rsp, kept_rsp(%rip)\n" EACHX(LOADX) "ldmxcsr in+136(%rip)\n"
    "pushq in+128(%rip); popfq\n" EACH(LOAD) "jmp *target(%rip)\n"
    ".globl landed\nlanded:\n" EACH(SAVE)
    "lea scratch_stack+256(%rip), %rsp; pushfq; pushq $0x202; popfq; pop out+128(%rip)\n" EACHX(SAVEX)
    "stmxcsr out+136(%rip); ldmxcsr plain_mxcsr(%rip)\n"
    "mov kept_rsp(%rip), %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
    "plain_mxcsr: .long 0x1f80\n"
    "helper: mov %rax, %rbp; ret\n");

/* A shape ends by `ret`; `back_NAME` is behind its system call. r15 != 0: the ones that can skip the call do. */
#define SHAPE(name, code) asm(".text\n.p2align 6\n.globl shape_" #name ", back_" #name "\nshape_" #name ": " code "\n.p2align 4\n");
#define BACK(name) "back_" #name ": "

SHAPE(mov3, "syscall; " BACK(mov3) "mov %rax, %rbx; ret")
SHAPE(mov2, "syscall; " BACK(mov2) "mov %eax, %ebx; mov %eax, %ebp; ret")
SHAPE(ret, "syscall; " BACK(ret) "ret")
SHAPE(ret_unpadded, "syscall; " BACK(ret_unpadded) "ret; mov %rax, %rbx; ret")
SHAPE(glibc, "syscall; " BACK(glibc) "cmp $-4095, %rax; jae 1f; ret; 1: neg %rax; ret")
SHAPE(glibc32, "syscall; " BACK(glibc32) "cmp $0xfffff000, %eax; ja 1f; ret; 1: neg %rax; ret")
SHAPE(go, "syscall; " BACK(go) "cmp $0xfffffffffffff001, %rax; jbe 1f; mov $-1, %rbx; neg %rax; ret; 1: mov %rax, %rbp; ret")
SHAPE(branch, "syscall; " BACK(branch) "test %eax, %eax; js 1f; mov $1, %ebx; ret; 1: mov $2, %ebx; ret")
SHAPE(jump, "syscall; " BACK(jump) "jmp 1f; .byte 0xcc, 0xcc; 1: ret")
SHAPE(jump_far, "syscall; " BACK(jump_far) ".byte 0xe9; .long 1f - . - 4; .skip 200, 0xcc; 1: ret")
SHAPE(pops, "push %r12; push %r13; push %r14; syscall; " BACK(pops) "pop %r13; pop %r14; pop %r12; ret")
SHAPE(pops4, "push %rbx; push %rbp; syscall; " BACK(pops4) "pop %rbp; pop %rbx; ret")
SHAPE(rip_lea, "syscall; " BACK(rip_lea) "lea spare(%rip), %rbx; ret")
SHAPE(rip_store, "syscall; " BACK(rip_store) "mov %eax, spare(%rip); mov spare(%rip), %ebx; ret")
SHAPE(rip_immediate, "syscall; " BACK(rip_immediate) "movl $77, spare+8(%rip); cmpl $78, spare+8(%rip); ret")
SHAPE(flags, "syscall; " BACK(flags) "stc; cmc; cld; ret")
SHAPE(reads_flags, "syscall; " BACK(reads_flags) "seto %bl; setc %bh; ret")
SHAPE(reads_rcx, "syscall; " BACK(reads_rcx) "mov %rcx, %rbx; mov %r11, %rbp; ret")
SHAPE(red_zone, "movq $0x1234, -8(%rsp); syscall; " BACK(red_zone) "mov -8(%rsp), %rbx; ret")
SHAPE(sse, "syscall; " BACK(sse) "movaps %xmm3, %xmm4; ret")
SHAPE(call, "syscall; " BACK(call) "call helper; ret")
SHAPE(call_unpadded, "syscall; " BACK(call_unpadded) "call helper; mov %rbp, %rbx; ret; nop; mov %rax, %rax; nop; nop; xchg %ax, %ax; ret")
/* The hole is a nop in front of a label: one that is executed, in a loop, and one that is not. */
SHAPE(call_nop, "mov $3, %r14d; 1: mov in(%rip), %rax; syscall; " BACK(call_nop) "call helper; .p2align 4, 0x90; .byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0; dec %r14d; jnz 1b; mov %rbp, %rbx; ret")
SHAPE(jump_nop, "syscall; " BACK(jump_nop) "jmp 1f; call helper; .byte 0x0f, 0x1f, 0x80, 0, 0, 0, 0; 1: mov %rax, %rbx; ret")
SHAPE(jrcxz, "syscall; " BACK(jrcxz) "jrcxz 1f; mov $5, %ebx; 1: ret")
SHAPE(rex, ".byte 0x48; syscall; " BACK(rex) "mov %rax, %rbx; ret")
SHAPE(prefix, ".byte 0x66; syscall; " BACK(prefix) "mov %rax, %rbx; ret")
SHAPE(twice, "syscall; mov %rax, %rbx; mov in(%rip), %rax; syscall; " BACK(twice) "mov %rax, %rbp; ret")
SHAPE(adjacent, "syscall; mov in(%rip), %rax; syscall; " BACK(adjacent) "ret")
SHAPE(behind, "test %r15, %r15; jnz back_behind; syscall; " BACK(behind) "mov %rax, %rbx; ret")
SHAPE(behind2, "test %r15, %r15; jnz 1f; syscall; " BACK(behind2) "stc; cld; 1: cmc; ret")
SHAPE(behind1, "test %r15, %r15; jnz 1f; syscall; " BACK(behind1) "stc; 1: cmc; std; cld; ret")
SHAPE(behind_ret, "test %r15, %r15; jnz back_behind_ret; syscall; " BACK(behind_ret) "ret")
SHAPE(loop, "mov $9, %r14d; syscall; " BACK(loop) "add %rax, %rbx; dec %r14d; jnz back_loop; ret")
SHAPE(loop2, "mov $9, %r14d; syscall; " BACK(loop2) "stc; cmc; 1: add $3, %rbx; dec %r14d; jnz back_loop2; ret")
SHAPE(call_in_loop, "mov $3, %r14d; 1: mov in(%rip), %rax; syscall; " BACK(call_in_loop) "add %rax, %rbx; dec %r14d; jnz 1b; ret")
/* The last bytes of a page: the site alone, the site and what would be overwritten, one byte less, and across. */
#define AT_END(name, before, code) \
  asm(".text\n.p2align 12\n.skip 4096 - " #before ", 0xcc\n.globl shape_" #name ", back_" #name "\nshape_" #name ": " code "\n.p2align 4\n");
AT_END(end2, 2, "syscall; " BACK(end2) "mov %rax, %rbx; ret")
AT_END(end5, 5, "syscall; " BACK(end5) "mov %rax, %rbx; ret")
AT_END(end4, 4, "syscall; " BACK(end4) "mov %eax, %ebx; ret")
AT_END(end6, 6, "syscall; " BACK(end6) "mov %rax, %rbx; ret")
AT_END(across, 1, "syscall; " BACK(across) "mov %rax, %rbx; ret")

#define SHAPES(f) \
  f(mov3) f(mov2) f(ret) f(ret_unpadded) f(glibc) f(glibc32) f(go) f(branch) f(jump) f(jump_far) f(pops) f(pops4) f(rip_lea) \
      f(rip_store) f(rip_immediate) f(flags) f(reads_flags) f(reads_rcx) f(red_zone) f(sse) f(call) f(call_unpadded) f(call_nop) f(jump_nop) f(jrcxz) \
          f(rex) f(prefix) f(twice) f(adjacent) f(behind) f(behind2) f(behind1) f(behind_ret) f(loop) f(loop2) \
              f(call_in_loop) f(end2) f(end5) f(end4) f(end6) f(across)
#define DECLARE(name) extern char shape_##name[], back_##name[];
SHAPES(DECLARE)
#define ENTRY(name) {#name, shape_##name, back_##name},
struct shape {
  const char *name;
  char *start, *back;
} shapes[] = {SHAPES(ENTRY)};

#define NUMBER in.gpr[RAX]
#include "registers.h"

/* Calls with the same result everywhere: nothing, in, out and path arguments, failures, numbers that do not exist. */
static void choose(int which) {
  uint64_t *r = in.gpr;
  switch (which) {
    case 0: r[RAX] = SYS_getuid; break;
    case 1: r[RAX] = SYS_close; r[RDI] = -1; break;
    case 2: r[RAX] = SYS_read; r[RDI] = zero; r[RSI] = (uint64_t)buffer; r[RDX] = sizeof buffer; break;
    case 3: r[RAX] = SYS_write; r[RDI] = null; r[RSI] = (uint64_t)buffer; r[RDX] = sizeof buffer; break;
    case 4: r[RAX] = SYS_access; r[RDI] = (uint64_t)path; r[RSI] = 0; break;
    case 5: r[RAX] = SYS_rt_sigprocmask; r[RDI] = 0; r[RSI] = 0; r[RDX] = (uint64_t)buffer; r[R10] = 8; break;
    case 6: r[RAX] = 511; break;
    case 7: r[RAX] = 100000; break;
    case 8: r[RAX] = 0xabcd00000000 + SYS_getuid; break;
    case 9: r[RAX] = SYS_read; r[RDI] = zero; r[RSI] = 8; r[RDX] = 16; break;
    case 10: r[RAX] = SYS_write; r[RDI] = null; r[RSI] = -4096ul; r[RDX] = 16; break;
    case 11: r[RAX] = SYS_access; r[RDI] = 0xdead00000000; break;
  }
}
enum { CALLS = 12 };

static const uint64_t kFlags[] = {0x202, 0xad7 | 0x400, 0x602, 0xa02, 0x203, 0x206, 0x212, 0x242, 0x282, 0xe02, 0x246, 0x40202, 0x200202, 0x8d5 | 0x202, 0x40602, 0xa93};
enum { FLAG_SETS = sizeof kFlags / sizeof *kFlags };

static void check(const struct shape *shape, int round, int called) {
  char name[8];
  static const int kept[] = {RDX, RSI, RDI, R8, R9, R10, R12, R13, R15};
  for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (out.gpr[kept[i]] == in.gpr[kept[i]] || strncmp(shape->name, "pops", 4) == 0) continue;
    snprintf(name, sizeof name, "gpr %d", kept[i]);
    wrong(shape, round, name, out.gpr[kept[i]], in.gpr[kept[i]]);
  }
  if (called && out.gpr[RCX] != (uint64_t)shape->back) wrong(shape, round, "rcx", out.gpr[RCX], (uint64_t)shape->back);
  if (out.gpr[RSP] != in.gpr[RSP] + 8) wrong(shape, round, "rsp", out.gpr[RSP], in.gpr[RSP] + 8);
  if (out.mxcsr != in.mxcsr) wrong(shape, round, "mxcsr", out.mxcsr, in.mxcsr);
  for (int i = 0; i < 16; i++)
    if (memcmp(out.xmm[i], in.xmm[i], 16) && (i != 4 || strcmp(shape->name, "sse"))) wrong(shape, round, "an xmm register", i, i);
  for (int i = 0; i < 16; i++) mix(since_start(out.gpr[i]));
  mix(out.flags);
  for (int i = 0; i < 512; i++) mix(since_start(stack[i]));
  for (int i = 0; i < 2; i++) mix(((uint64_t *)buffer)[i]);
  mix(spare[0] + spare[1]);
}

int main(int argc, char **argv) {
  const int rounds = atoi(argv[1]), slowly = argc > 2;
  if (!open_files()) return 2;
  for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const struct shape *shape = &shapes[s];
    digest = 0xcbf29ce484222325;
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < 16; i++) in.gpr[i] = 0x0101010101010101 * (i + 1) + round * 0x1000;
      for (int i = 0; i < 256; i++) ((uint8_t *)in.xmm)[i] = i * 7 + round;
      for (int i = 0; i < 512; i++) stack[i] = i * 0x9e3779b97f4a7c15 + round;
      memset(buffer, round, sizeof buffer);
      in.flags = kFlags[round % FLAG_SETS];
      in.mxcsr = round & 1 ? 0x1f80 : 0x9fc0 | (round & 0x3f);
      choose(round / 3 % CALLS);
      in.gpr[R15] = strncmp(shape->name, "behind", 6) == 0 && round % 3 == 2;
      in.gpr[RSP] = (uint64_t)&stack[400];
      stack[400] = (uint64_t)landed;
      target = (uint64_t)shape->start;
      run();
      check(shape, round, !in.gpr[R15] && strcmp(shape->name, "reads_rcx") != 0);
      if (slowly) for (int i = 0; i < 3; i++) syscall(SYS_restart_syscall);
    }
    printf("%s %016lx\n", shape->name, (long)digest);
  }
  printf("complaints: %d\n", complaints);
  return complaints != 0;
}
