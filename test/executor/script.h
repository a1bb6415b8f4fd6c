/*
 * Format of a compiled script and of the records that the executor reports. `test/support/encode.ts` writes the one and
 * `test/support/records.ts` reads the other: the three must agree. All numbers are little-endian.
 *
 * A script file is one header, then one `struct test` per test. Offsets count from the start of the file.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

#define MAGIC 0x315453455456454cUL /* "LEVTEST1" */

/* Fixed addresses, far from the executor, its heap, the mmap area and the stack on both architectures. */
#define SCRIPT_BASE 0x1000000000UL
#define ARENA_BASE 0x1100000000UL
#define SHADOW_OFFSET 0x0100000000UL /* the copy of a region that changes are found against */

#define CHANNEL 1000 /* descriptor of the result channel */
#define MAX_OPS 8192
#define NO_SECTION 0xffffffffU

struct header {
  u64 magic;
  u32 tests;
  u32 pad;
  u64 test_offset; /* array of struct test */
};

#define TEST_NO_DIFF 1 /* threads run in it: memory changes are reported only by OP_REPORT */

struct test {
  u32 flags;
  u32 timeout_ms;
  u32 regions;
  u32 sections;
  u64 region_offset;
  u64 section_offset;
};

#define REGION_QUIET 1 /* changes are not reported (stacks) */

struct region {
  u64 map_start, map_end; /* page aligned; unmapped pages before and after are the guards */
  u64 data_start;         /* where data_length bytes of the file at data_offset go */
  u64 data_offset, data_length;
  u32 fill; /* byte that fills the rest */
  u32 flags;
};

#define SECTION_PROCESS 0
#define SECTION_THREAD 1
#define SECTION_HANDLER 2

struct section {
  u32 kind;
  u32 ops;
  u64 op_offset;
};

enum arg_kind {
  ARG_CONST = 0,  /* value */
  ARG_RESULT = 1, /* result of op `value` + addend */
  ARG_NEGATED = 2, /* -(result of op `value`) + addend */
  ARG_LOAD32 = 3, /* signed 32-bit word at address `value` + addend */
  ARG_LOAD64 = 4,
  ARG_SYMBOL = 5, /* address of a function of the executor, or its stack pointer + addend */
};

struct arg {
  u32 kind;
  u32 pad;
  s64 value;
  s64 addend;
};

enum op_kind {
  OP_CALL = 1,        /* system call nr(a0..a5) */
  OP_SPAWN = 2,       /* the same; in the child run section `target`, on stack a6 if it is not 0 */
  OP_STORE = 3,       /* nr bytes of a1 at a0 */
  OP_REPORT = 4,      /* a1 bytes at a0 */
  OP_FILL = 5,        /* a1 bytes at a0 become a2 */
  OP_TOUCH = 6,       /* access the byte at a0: nr 0 read, 1 write, 2 execute; result -1 if a handler was entered */
  OP_WAIT_WORD = 7,   /* sleep until the 32-bit word at a0 is a1, at most a2 ms */
  OP_SPIN = 8,        /* the same in user mode only, at most a2 rounds */
  OP_HANDLE = 9,      /* signal nr runs section `target` */
  OP_WAIT_BLOCKED = 10, /* until task a0 sleeps */
  OP_START = 11,      /* reports argc, argv, envp, auxv, the registers at entry */
  OP_REGISTERS = 12,  /* system call nr(a0..a5) with every register set; reports them afterwards */
  OP_COPY = 13,       /* a2 bytes from a1 to a0 */
};

#define OP_TIMED 1

struct op {
  u16 kind;
  u16 flags;
  u32 id;
  u32 nr;
  u32 target;
  struct arg a[7];
};

enum record_type {
  RECORD_CALL = 1,   /* a: result, b: nanoseconds if timed */
  RECORD_MEMORY = 2, /* a: address; payload: the bytes there now */
  RECORD_SIGNAL = 3, /* a: signal; payload: siginfo (48 bytes) and struct signal_context */
  RECORD_BEGIN = 4,  /* op: number of the test */
  RECORD_END = 5,    /* a: wait status, b: not 0 if it ran out of time; payload: nanoseconds */
  RECORD_START = 6,  /* a: argc, b: envc; payload: strings */
  RECORD_AUXV = 7,   /* payload: pairs of u64; a: stack pointer at entry, b: OR of all registers at entry */
  RECORD_REGISTERS = 8, /* a: result; payload: registers */
  RECORD_TROUBLE = 9, /* the executor itself failed: payload is text, a: errno */
  RECORD_DONE = 10,  /* after the last test */
};

struct record {
  u32 size; /* with this header */
  u8 type;
  u8 pad;
  u16 test;
  u16 owner; /* section that the process began with */
  u16 section;
  u32 op;
  s64 a, b;
};

struct signal_context {
  u64 mask, flags, stack_sp, stack_flags, stack_size, sp, trap, fault;
};

enum symbol { SYMBOL_HANDLER = 0, SYMBOL_RESTORER = 1, SYMBOL_RETURN = 2, SYMBOL_STACK = 3 };

#endif
