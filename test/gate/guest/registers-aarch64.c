/*
 * System call sites of common shapes on AArch64, with every register checked around each call: general ones, flags, vectors,
 * the first bytes below the stack pointer, where Go keeps frame pointers. Prints one line per shape: a digest of all that was there
 * after each call, the same whoever serves the calls.
 *
 * registers ROUNDS [slowly]: `slowly` puts calls in between that always stop, so that nobody starts to poll.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "machine.h"

enum { LR = 30, SP = 31 };
struct state {
  uint64_t x[32], flags, fpcr, fpsr, unused;
  uint8_t q[32][16];
};
struct state in __attribute__((aligned(PAGE))), out __attribute__((aligned(PAGE)));
uint64_t kept_sp, stack[512] __attribute__((aligned(PAGE)));
void run(void *target);
extern char landed[];

#define EVEN(f) f(0, 1) f(2, 3) f(4, 5) f(6, 7) f(8, 9) f(10, 11) f(12, 13) f(14, 15) f(18, 19) f(20, 21) f(22, 23) f(24, 25) f(26, 27) f(28, 29)
#define LOAD(a, b) "ldp x" #a ", x" #b ", [x16, #8*" #a "]\n"
#define SAVE(a, b) "stp x" #a ", x" #b ", [x16, #8*" #a "]\n"
#define LOADQ(a, b) "ldp q" #a ", q" #b ", [x16, #288+16*" #a "]\n"
#define SAVEQ(a, b) "stp q" #a ", q" #b ", [x16, #288+16*" #a "]\n"

/* A shape is entered with its own address in x17, which it loads first; it returns with the stack pointer it was given. */
asm(".text\n.globl run\n.p2align 4\nrun:\n"
    "sub sp, sp, #160\nstp x19, x20, [sp]\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\nstp x25, x26, [sp, #48]\n"
    "stp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\nstp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\nstp d14, d15, [sp, #144]\n"
    "mov x17, x0\nmov x9, sp\nadrp x16, kept_sp\nstr x9, [x16, :lo12:kept_sp]\n"
    "adrp x16, in\nadd x16, x16, :lo12:in\n" EVEN(LOADQ) LOADQ(16, 17) LOADQ(30, 31)
    "ldr x9, [x16, #264]\nmsr fpcr, x9\nldr x9, [x16, #272]\nmsr fpsr, x9\nldr x9, [x16, #256]\nmsr nzcv, x9\n"
    "ldr x9, [x16, #8*31]\nmov sp, x9\nldr x30, [x16, #8*30]\n" EVEN(LOAD) "ldr x16, [x16, #8*16]\nbr x17\n"
    ".globl landed\nlanded: stp x16, x17, [sp]\nadrp x16, out\nadd x16, x16, :lo12:out\n" EVEN(SAVE)
    "str x30, [x16, #8*30]\nldp x0, x1, [sp]\nstp x0, x1, [x16, #8*16]\nmov x0, sp\nstr x0, [x16, #8*31]\n"
    "mrs x0, nzcv\nstr x0, [x16, #256]\nmrs x0, fpcr\nstr x0, [x16, #264]\nmrs x0, fpsr\nstr x0, [x16, #272]\n" EVEN(SAVEQ) SAVEQ(16, 17) SAVEQ(30, 31)
    "msr fpcr, xzr\nadrp x16, kept_sp\nldr x9, [x16, :lo12:kept_sp]\nmov sp, x9\n"
    "ldp x19, x20, [sp]\nldp x21, x22, [sp, #16]\nldp x23, x24, [sp, #32]\nldp x25, x26, [sp, #48]\n"
    "ldp x27, x28, [sp, #64]\nldp x29, x30, [sp, #80]\nldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\nldp d14, d15, [sp, #144]\nadd sp, sp, #160\nret\n"
    "helper: mov x20, x0\nret\n");

#define HEAD "adrp x17, in\nldr x17, [x17, #8*17]\n"
#define SHAPE(name, code) asm(".text\n.p2align 6\n.globl shape_" #name "\nshape_" #name ":\n" HEAD code "\n");

SHAPE(mov, "svc #0\nmov x19, x0\nret")
SHAPE(ret, "svc #0\nret")
SHAPE(libc, "svc #0\ncmn x0, #4095\nb.hs 1f\nret\n1: neg x0, x0\nret")
SHAPE(branch, "svc #0\ntbnz x0, #63, 1f\nmov x19, #1\nret\n1: mov x19, #2\nret")
SHAPE(relative, "svc #0\nadr x19, shape_relative\nret")
SHAPE(literal, "svc #0\nldr x19, 1f\nret\n.p2align 3\n1: .quad 0x123456789")
SHAPE(number, "mov x19, x8\nmov x8, #174\nsvc #0\nmov x8, x19\nret")
SHAPE(frame, "stp x29, x30, [sp, #-32]!\nmov x29, sp\nsvc #0\nldp x29, x30, [sp], #32\nret")
SHAPE(below, "stur x20, [sp, #-8]\nstp x21, x22, [sp, #-128]\nsvc #0\nldur x23, [sp, #-8]\nldp x24, x25, [sp, #-128]\nret")
SHAPE(flags, "svc #0\ncset x19, cs\ncset x20, vs\nret")
SHAPE(vector, "svc #0\nmov v4.16b, v3.16b\nret")
SHAPE(call, "mov x19, x30\nsvc #0\nbl helper\nmov x30, x19\nret")
SHAPE(called, "mov x19, x30\nbl 1f\nmov x30, x19\nret\n1: svc #0\nret")
SHAPE(twice, "mov x19, x0\nsvc #0\nmov x20, x0\nmov x0, x19\nsvc #0\nret")
SHAPE(adjacent, "svc #0\nsvc #0\nret")
SHAPE(behind, "cbnz x28, 1f\nsvc #0\n1: mov x19, x0\nret")
SHAPE(onto, "adr x19, 1f\nbr x19\nudf #0\n1: svc #0\nret")
SHAPE(loop, "mov x26, #9\n1: mov x27, x0\nsvc #0\nmov x0, x27\nsub x26, x26, #1\ncbnz x26, 1b\nret")
SHAPE(immediate, "svc #0x123\nret")
SHAPE(scratch, "svc #0\nadd x19, x16, x17\nret")
SHAPE(platform, "mov x18, #0x77\nsvc #0\nmov x19, x18\nret")
/* With a stack that is not there, not aligned, or ends here: the call is the program's all the same. */
SHAPE(no_stack, "mov x19, sp\nmov x20, #64\nmov sp, x20\nsvc #0\nmov sp, x19\nret")
SHAPE(askew, "mov x19, sp\nadd x20, x19, #8\nmov sp, x20\nsvc #0\nmov sp, x19\nret")
SHAPE(first, "mov x19, sp\nadrp x20, hole_end\nldr x20, [x20, :lo12:hole_end]\nmov sp, x20\nsvc #0\nmov sp, x19\nret")
/* In the thread pointer's place, whatever it is. */
SHAPE(tls, "mrs x19, tpidr_el0\nmov x20, #0x1234\nmsr tpidr_el0, x20\nsvc #0\nmrs x21, tpidr_el0\nmsr tpidr_el0, x19\nmov x19, #0\nret")
/* The last and the first instruction of a page. */
asm(".text\n.balign " NUMBER(PAGE) "\n.skip " NUMBER(PAGE) " - 12, 0\n.globl shape_last\nshape_last:\n" HEAD "svc #0\nret\n");
asm(".text\n.balign " NUMBER(PAGE) "\n.skip " NUMBER(PAGE) " - 8, 0\n.globl shape_start\nshape_start:\n" HEAD "svc #0\nret\n");

#define SHAPES(f) \
  f(mov) f(ret) f(libc) f(branch) f(relative) f(literal) f(number) f(frame) f(below) f(flags) f(vector) f(call) f(called) \
      f(twice) f(adjacent) f(behind) f(onto) f(loop) f(immediate) f(scratch) f(platform) f(no_stack) f(askew) f(first) f(tls) \
          f(last) f(start)
#define DECLARE(name) extern char shape_##name[];
SHAPES(DECLARE)
#define ENTRY(name) {#name, shape_##name},
struct shape {
  const char *name;
  char *start;
} shapes[] = {SHAPES(ENTRY)};

uint64_t hole_end;
#define NUMBER in.x[8]
#include "registers.h"

/* ... or from the end of the memory below the hole. */
static uint64_t relative(uint64_t value) {
  return value >= hole_end - 8192 && value <= hole_end + 8192 ? value - hole_end : since_start(value);
}

/* Calls with the same result everywhere: nothing, in, out and path arguments, failures, numbers that do not exist. */
static void choose(int which) {
  uint64_t *x = in.x;
  switch (which) {
    case 0: x[8] = SYS_getuid; break;
    case 1: x[8] = SYS_close; x[0] = -1; break;
    case 2: x[8] = SYS_read; x[0] = zero; x[1] = (uint64_t)buffer; x[2] = sizeof buffer; break;
    case 3: x[8] = SYS_write; x[0] = null; x[1] = (uint64_t)buffer; x[2] = sizeof buffer; break;
    case 4: x[8] = SYS_faccessat; x[0] = -100; x[1] = (uint64_t)path; x[2] = 0; break;
    case 5: x[8] = SYS_rt_sigprocmask; x[0] = 0; x[1] = 0; x[2] = (uint64_t)buffer; x[3] = 8; break;
    case 6: x[8] = 511; break;
    case 7: x[8] = 100000; break;
    case 8: x[8] = 0xabcd00000000 + SYS_getuid; break;
    case 9: x[8] = SYS_read; x[0] = zero; x[1] = 8; x[2] = 16; break;
    case 10: x[8] = SYS_write; x[0] = null; x[1] = -4096ul; x[2] = 16; break;
    case 11: x[8] = SYS_faccessat; x[0] = -100; x[1] = 0xdead00000000; break;
    case 12: x[8] = SYS_read; x[0] = zero; x[1] = (uint64_t)buffer + 3; x[2] = 77; break;
    case 13: x[8] = SYS_write; x[0] = null; x[1] = hole_end - 40; x[2] = 80; break;
  }
}
enum { CALLS = 14 };

/* Registers that a shape itself changes are digested only. */
static const char *own_registers(const char *name) {
  if (strcmp(name, "frame") == 0) return "";
  return " 19 20 21 23 24 25 26 27 ";
}

static void check(const struct shape *shape, int round) {
  char name[16];
  for (int i = 1; i < 31; i++) {
    if (out.x[i] == in.x[i]) continue;
    snprintf(name, sizeof name, " %d ", i);
    if (strstr(own_registers(shape->name), name)) continue;
    if (i == 8 && strcmp(shape->name, "number") == 0) continue;
    if (i == 18 && strcmp(shape->name, "platform") == 0) continue;
    snprintf(name, sizeof name, "x%d", i);
    wrong(shape, round, name, out.x[i], in.x[i]);
  }
  if (out.x[SP] != in.x[SP]) wrong(shape, round, "sp", out.x[SP], in.x[SP]);
  if (out.fpcr != in.fpcr) wrong(shape, round, "fpcr", out.fpcr, in.fpcr);
  if (out.fpsr != in.fpsr) wrong(shape, round, "fpsr", out.fpsr, in.fpsr);
  if (strcmp(shape->name, "libc") && out.flags != in.flags) wrong(shape, round, "flags", out.flags, in.flags);
  for (int i = 0; i < 32; i++)
    if (memcmp(out.q[i], in.q[i], 16) && (i != 4 || strcmp(shape->name, "vector"))) wrong(shape, round, "a vector register", i, i);
  for (int i = 0; i < 32; i++) mix(relative(out.x[i]));
  mix(out.flags);
  /* From 128 bytes below the stack pointer on; what is further below may be used by signal frames, and by the gate. */
  for (int i = 400 - 16; i < 512; i++) mix(relative(stack[i]));
  for (int i = 0; i < 32; i++) mix(((uint64_t *)buffer)[i]);
}

int main(int argc, char **argv) {
  const int rounds = atoi(argv[1]), slowly = argc > 2;
  if (!open_files()) return 2;
  /* Memory that begins where the stack pointer is, and ends at `hole_end` less what is below it. */
  const long page = sysconf(_SC_PAGESIZE);
  char *pages = mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || munmap(pages, page)) return 3;
  hole_end = (uint64_t)pages + page;
  for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const struct shape *shape = &shapes[s];
    digest = 0xcbf29ce484222325;
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < 31; i++) in.x[i] = 0x0101010101010101 * (i + 1) + round * 0x1000;
      for (int i = 0; i < 512; i++) ((uint8_t *)in.q)[i] = i * 7 + round;
      for (int i = 0; i < 512; i++) stack[i] = i * 0x9e3779b97f4a7c15 + round;
      memset(buffer, round, sizeof buffer);
      in.flags = (uint64_t)(round & 15) << 28;
      in.fpcr = (uint64_t)(round & 3) << 22;
      in.fpsr = round & 0x1f;
      choose(round / 3 % CALLS);
      in.x[28] = strcmp(shape->name, "behind") == 0 && round % 3 == 2;
      in.x[LR] = (uint64_t)landed;
      in.x[SP] = (uint64_t)&stack[400];
      run(shape->start);
      check(shape, round);
      if (slowly) for (int i = 0; i < 3; i++) syscall(SYS_restart_syscall);
    }
    printf("%s %016lx\n", shape->name, (long)digest);
  }
  printf("complaints: %d\n", complaints);
  return complaints != 0;
}
