/* What the gate's guests know of the machine: code with a call in it, a call without libc, contexts of signal handlers. */
#pragma once
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

/* How much slower the machine is than usual: loops are shorter. */
#if !defined(SLOWNESS)
#define SLOWNESS 1
#endif
/* Bytes. */
#if !defined(PAGE)
#define PAGE 4096
#endif
#define TEXT(number) #number
#define NUMBER(number) TEXT(number)

/*
 * kFunction: getuid, plus the byte at CONSTANT. The call is at CALL, and in the middle of a page's end that is
 * ACROSS bytes on; with kNoCall there it gives 102 + the constant. kOther is a
 * function with the same results and other instructions behind the call.
 */
#if defined(__x86_64__)
enum { FUNCTION = 16, ACROSS = 6, CALL = 5, CONSTANT = 8, OTHER_CONSTANT = 9, TEXT_CONSTANT = 9 };
static const unsigned char kFunction[] = "\xb8\x66\0\0\0\x0f\x05\x05\x00\0\0\0\xc3\x90\x90\x90";
static const unsigned char kOther[] = "\xb8\x66\0\0\0\x0f\x05\x83\xc0\x00\xc3\x90\x90\x90\x90\x90";
static const unsigned char kNoCall[] = "\x90\x90\x05\x00\0\0\0\xc3";
/* close(-1) */
static const unsigned char kClose[] = "\xbf\xff\xff\xff\xff\xb8\x03\0\0\0\x0f\x05\x48\x89\xc2\xc3";
/* The same as kOther and a constant of 17, in a page of the program's text. */
#define TEXT_FUNCTION(name) \
  asm(".text\n.p2align 12\n.globl " #name "\n" #name ": mov $102, %eax; syscall; add $0x11, %eax; nop; nop; ret\n.p2align 12\n" \
      "other_" #name ": mov $102, %eax; syscall; mov %eax, %ecx; xor %ecx, %ecx; ret\n.p2align 12\n")
#define IP(context) ((context)->uc_mcontext.gregs[REG_RIP])
#define STACK(context) ((context)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
enum { FUNCTION = 24, ACROSS = 8, CALL = 4, CONSTANT = 20, OTHER_CONSTANT = 20, TEXT_CONSTANT = 20 };
/* mov x8, #174; svc #0; ldr w1, 1f; add w0, w0, w1; ret; 1: .word 0 */
static const unsigned char kFunction[] = "\xc8\x15\x80\xd2\x01\0\0\xd4\x61\0\0\x18\0\0\x01\x0b\xc0\x03\x5f\xd6\0\0\0";
/* The sum the other way round. */
static const unsigned char kOther[] = "\xc8\x15\x80\xd2\x01\0\0\xd4\x61\0\0\x18\x20\0\0\x0b\xc0\x03\x5f\xd6\0\0\0";
/* mov w0, #102 */
static const unsigned char kNoCall[] = "\xc0\x0c\x80\x52";
/* mov x0, #-1; mov x8, #57; svc #0; ret */
static const unsigned char kClose[] = "\0\0\x80\x92\x28\x07\x80\xd2\x01\0\0\xd4\xc0\x03\x5f\xd6";
#define TEXT_FUNCTION(name) \
  asm(".text\n.balign " NUMBER(PAGE) "\n.globl " #name "\n" #name ": mov x8, #174\nsvc #0\nldr w1, 1f\nadd w0, w0, w1\nret\n1: .word 17\n.balign " NUMBER(PAGE) "\n" \
      "other_" #name ": mov x8, #174\nsvc #0\nmov x1, x0\nret\n.balign " NUMBER(PAGE) "\n")
#define IP(context) ((context)->uc_mcontext.pc)
#define STACK(context) ((context)->uc_mcontext.sp)
#endif

/* Instruction caches need not notice writes. */
static inline void code_changed(void *at, unsigned long length) { __builtin___clear_cache((char *)at, (char *)at + length); }

/* Always inline: a vfork's child must not return from a function of the parent's. */
static inline __attribute__((always_inline)) long raw_call(long nr, long a, long b, long c, long d) {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  long result;
  asm volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
#else
  register long x8 asm("x8") = nr, x0 asm("x0") = a, x1 asm("x1") = b, x2 asm("x2") = c, x3 asm("x3") = d;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
#endif
}

static inline long raw_access(const char *path, int mode) {
#ifdef SYS_access
  return raw_call(SYS_access, (long)path, mode, 0, 0);
#else
  return raw_call(SYS_faccessat, -100, (long)path, mode, 0);
#endif
}

/* write(fd, bytes, length) by a system call instruction; 1 if all but its result was as before. */
static inline int write_keeps_registers(int fd, const void *bytes, unsigned long length, long *result) {
#if defined(__x86_64__)
  uint64_t rax = 1, rdi = fd, rsi = (uint64_t)bytes, rdx = length;
  register uint64_t r8 asm("r8") = 12, r9 asm("r9") = 13, r10 asm("r10") = 15;
  uint64_t kept;
  asm volatile(
      "mov $14, %%r12; mov $11, %%rbx; stc; syscall; setc %%cl; movzbl %%cl, %%r13d; cmp $11, %%rbx; jne 1f; cmp $14, %%r12; jne 1f; jmp 2f; 1: ud2; 2: mov %%r13, %7"
      : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10), "=r"(kept)
      :
      : "rcx", "r11", "rbx", "r12", "r13", "memory");
  *result = rax;
  return rdi == fd && rsi == (uint64_t)bytes && rdx == length && r8 == 12 && r9 == 13 && r10 == 15;
#else
  uint64_t in[31], out[31], flags;
  for (int i = 0; i < 31; i++) in[i] = 0x1111 * i + 7;
  in[0] = fd;
  in[1] = (uint64_t)bytes;
  in[2] = length;
  in[8] = 64;
  register uint64_t *from asm("x28") = in, *to asm("x27") = out;
  asm volatile(
      "ldp x0, x1, [x28]; ldp x2, x3, [x28, #16]; ldp x4, x5, [x28, #32]; ldp x6, x7, [x28, #48]; ldp x8, x9, [x28, #64]\n"
      "ldp x10, x11, [x28, #80]; ldp x12, x13, [x28, #96]; ldp x14, x15, [x28, #112]; ldp x16, x17, [x28, #128]\n"
      "ldp x18, x19, [x28, #144]; ldp x20, x21, [x28, #160]; ldp x22, x23, [x28, #176]; ldp x24, x25, [x28, #192]\n"
      "mov x26, #5; cmp x26, #5; svc #0\n"
      "stp x0, x1, [x27]; stp x2, x3, [x27, #16]; stp x4, x5, [x27, #32]; stp x6, x7, [x27, #48]; stp x8, x9, [x27, #64]\n"
      "stp x10, x11, [x27, #80]; stp x12, x13, [x27, #96]; stp x14, x15, [x27, #112]; stp x16, x17, [x27, #128]\n"
      "stp x18, x19, [x27, #144]; stp x20, x21, [x27, #160]; stp x22, x23, [x27, #176]; stp x24, x25, [x27, #192]; mrs %0, nzcv"
      : "=r"(flags)
      : "r"(from), "r"(to)
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
        "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "cc", "memory");
  *result = out[0];
  return memcmp(in + 1, out + 1, 25 * 8) == 0 && flags == 0x60000000;
#endif
}
