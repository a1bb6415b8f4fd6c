/*
 * What both architectures' registers guests have: buffers of the calls, the digest, complaints. Included behind `struct shape` and
 * `in`; NUMBER is the system call number in it.
 */
#pragma once

static char buffer[256] __attribute__((aligned(64)));
static char path[] = "/nowhere/at/all";
static int zero, null;
extern char __executable_start[], end[];

static uint64_t digest;
static void mix(uint64_t value) {
  digest = (digest ^ value) * 0x100000001b3;
  digest ^= digest >> 29;
}
/* Addresses count from the program's start. */
static uint64_t since_start(uint64_t value) {
  const uint64_t from = (uint64_t)__executable_start;
  return value >= from && value < (uint64_t)end ? value - from : value;
}
static int complaints;
static void wrong(const struct shape *shape, int round, const char *what, uint64_t is, uint64_t wanted) {
  if (complaints++ < 20)
    printf("%s round %d nr %ld: %s is %lx, not %lx\n", shape->name, round, (long)NUMBER, what, (long)is, (long)wanted);
}

/* The same descriptors everywhere; 0 if they cannot be had. */
static int open_files(void) {
  zero = open("/dev/zero", O_RDONLY);
  null = open("/dev/null", O_WRONLY);
  if (zero < 0 || null < 0) return 0;
  zero = dup3(zero, 100, 0);
  null = dup3(null, 101, 0);
  return 1;
}
