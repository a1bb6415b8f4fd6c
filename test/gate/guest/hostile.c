/*
 * hostile HOW COUNT SEED: COUNT children that attack the gate from inside, one after the other, each with other random choices
 * and killed after a moment, while a neighbour, another process, makes calls and checks their results. Only the attacker may
 * come to harm: prints whether the neighbour and this program went on well.
 *
 * The gate's addresses are those of native/gate.h and native/zygote.cc; without the gate there is nothing to attack but
 * what is everywhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "machine.h"

#if !defined(SYS_fork)
#define SYS_access SYS_chdir
#define SYS_stat SYS_newfstatat
#define SYS_fork SYS_clone
#endif
enum { ARCH_SET_GS = 0x1001, AREA = 128 << 20, WORDS = PAGE / 8 };
static uint64_t state;
static uint64_t rnd(void) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
#if defined(__x86_64__)
static uint64_t channel(void) {
  uint64_t at;
  asm volatile("rdgsbase %0" : "=r"(at));
  return at;
}
static void set_gs(uint64_t to) { asm volatile("wrgsbase %0" ::"r"(to)); }
static void find_channel(void) {}
#else
/* A site of which the address is known: what it has become leads to its trampoline, that to the gate, that to the channel. */
extern const uint32_t known_site[];
asm(".text\n.p2align 4\nknown_call: mov x8, #174\nknown_site: svc #0\nret\n");
void known_call(void);
static uint64_t found;
static uint64_t channel(void) { return found; }
static uint64_t trampoline_of(const uint32_t *site) {
  return (*site & 0xfc000000) == 0x14000000 ? (uint64_t)site + ((int64_t)((uint64_t)*site << 38) >> 36) : 0;
}
static void find_channel(void) {
  for (int i = 0; i < 3000; i++) known_call();
  const uint64_t trampoline = trampoline_of(known_site);
  if (trampoline == 0) return;
  const uint64_t *gate = (uint64_t *)((uint64_t *)trampoline)[5], control = (uint64_t)gate + PAGE;
  for (int i = 1; i < WORDS; i++)
    if (gate[i] == control) found = gate[i - 1];
}
#endif
static uint64_t area(uint64_t of) { return of & ~(uint64_t)(AREA - 1); }
static uint64_t gate_page(uint64_t of) { return area(of) - AREA + 2 * PAGE; }

/* --- the neighbour --- */
struct shared {
  atomic_int stop, wrong;
  atomic_long done;
} *shared;
/* Shares no open file with the attackers, whose calls may be any at all. */
static void neighbour(void) {
  char out[700], in[700], name[64];
  int channel_fd[2];
  pipe(channel_fd);
  snprintf(name, sizeof name, "/tmp/hostile-%d", getpid());
  const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600), parent = getppid(), self = getpid();
  unlink(name);
  for (long i = 0; !shared->stop; i++) {
    int good = 1;
    for (int k = 0; k < sizeof out; k++) out[k] = i * 31 + k;
    good &= pwrite(fd, out, sizeof out, (i % 7) * 512) == sizeof out;
    good &= pread(fd, in, sizeof in, (i % 7) * 512) == sizeof in && memcmp(in, out, sizeof in) == 0;
    good &= write(channel_fd[1], out, 9) == 9 && read(channel_fd[0], in, 9) == 9 && memcmp(in, out, 9) == 0;
    good &= syscall(SYS_getppid) == parent && syscall(SYS_getpid) == self;
    good &= access("/nowhere", 0) == -1 && errno == ENOENT;
    struct timespec t = {-1, -1};
    good &= syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) == 0 && t.tv_nsec >= 0;
    if (!good) shared->wrong++;
    shared->done++;
  }
  _exit(0);
}

/* --- what attackers have in common --- */
static __thread sigjmp_buf back;
static __thread volatile int ready;
static void caught(int signal) {
  if (ready) siglongjmp(back, signal);
  _exit(1);
}
static void catch_all(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS, SIGALRM};
  stack_t alt = {.ss_sp = mmap(0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 65536};
  sigaltstack(&alt, 0);
  for (int i = 0; i < 7; i++) {
    struct sigaction action = {.sa_handler = caught, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaction(signals[i], &action, 0);
  }
}
static int devnull, devzero;
static void some_calls(int n) {
  char bytes[600];
  struct timespec t;
  struct iovec parts[2] = {{bytes, 10}, {bytes + 20, 30}};
  while (n-- > 0) {
    switch (rnd() % 8) {
      case 0: syscall(SYS_getppid); break;
      case 1: read(devzero, bytes, rnd() % sizeof bytes); break;
      case 2: write(devnull, bytes, rnd() % sizeof bytes); break;
      case 3: access("/nowhere", 0); break;
      case 4: syscall(SYS_clock_gettime, 1, &t); break;
      case 5: readv(devzero, parts, 2); break;
      case 6: writev(devnull, parts, 2); break;
      case 7: lseek(devnull, 0, SEEK_CUR); break;
    }
  }
}
static void *calling(void *seed) {
  state = (uint64_t)seed;
  catch_all();
  for (;;) {
    ready = 1;
    if (sigsetjmp(back, 1) == 0) some_calls(1000);
  }
}

/* --- scribbling over channels --- */
static uint64_t victims[8];
static atomic_int victim_count;
static void *victim(void *seed) {
  victims[victim_count++] = channel();
  return calling(seed);
}
static const uint16_t kOffsets[] = {0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x100, 0x108, 0x110, 0x118, 0x200};
static uint64_t nasty(void) {
  switch (rnd() % 12) {
    case 0: return rnd() % 8;
    case 1: return rnd();
    case 2: return -1ul;
    case 3: return rnd() % 500;
    case 4: return 0x8000000000000000;
    case 5: return (uint64_t)some_calls + rnd() % 64;
    case 6: return victims[0] + rnd() % PAGE;
    case 7: return gate_page(victims[0]) + rnd() % 600;
    case 8: return rnd() % 5000;
    case 9: return area(victims[0]) + rnd() % (2 * AREA);
    case 10: return 0x7fffffffe000 + rnd() % 8192;
    default: return (uint64_t)&state;
  }
}
static void scribble(void) {
  const int threads = 1 + rnd() % 4;
  pthread_t thread;
  for (int i = 0; i < threads; i++) pthread_create(&thread, 0, victim, (void *)rnd());
  while (victim_count < threads) sched_yield();
  if (area(victims[0]) == 0) pause();
  /* Some words only, so that not every child ends at once. */
  const uint64_t allowed = rnd() % 3 == 0 ? -1ul : 1ul << rnd() % 20 | 1ul << rnd() % 20 | (rnd() % 2);
  const int slowness = rnd() % 3 == 0 ? 0 : rnd() % 3000;
  ready = 1;
  sigsetjmp(back, 1);
  for (;;) {
    volatile uint64_t *words = (uint64_t *)victims[rnd() % threads];
    const int which = rnd() % 20;
    if ((allowed >> which & 1) == 0) continue;
#if defined(__aarch64__)
    /* All threads have the same channel: as if it were each one's own. */
    ((volatile uint32_t *)words)[1] = rnd() % 8 != 0;
#endif
    if (which == 0) *(volatile uint32_t *)words = rnd() % 8;
    else words[kOffsets[which] / 8] = nasty();
    if (allowed == -1ul && rnd() % 16 == 0) words[rnd() % WORDS] = nasty();
    for (volatile int i = 0; i < slowness; i++) ;
  }
}

/* --- other GS bases, other stacks --- */
#if defined(__aarch64__)
static void call_on_stack(uint64_t stack, uint64_t tls) {
  asm volatile("mov x19, sp; mrs x20, tpidr_el0; mov sp, %0; msr tpidr_el0, %1; mov x8, #173; svc #0; msr tpidr_el0, x20; mov sp, x19"
               :
               : "r"(stack), "r"(tls)
               : "x0", "x8", "x19", "x20", "memory");
}
#endif
static void bases(void) {
  const uint64_t own = channel();
  pthread_t thread;
  const int others = rnd() % 3; /* with none of them the process has a channel where that is for one thread */
  for (int i = 0; i < others; i++) pthread_create(&thread, 0, calling, (void *)rnd());
  for (;;) {
    uint64_t to = 0;
    switch (rnd() % 12) {
      case 0: to = 0; break;
      case 1: to = own + PAGE * (rnd() % 64 - 32); break;
      case 2: to = own + rnd() % PAGE; break;
      case 3: to = own - rnd() % PAGE; break;
      case 4: to = area(own) + AREA - PAGE + rnd() % (2 * PAGE); break;
      case 5: to = area(own) + rnd() % AREA; break;
      case 6: to = gate_page(own) + rnd() % (2 * PAGE); break;
      case 7: to = (uint64_t)&state; break;
      case 8: to = rnd() >> 17; break;
      case 9: to = own | 0xffff800000000000; break;
      case 10: to = 0xffffffff81000000 + rnd() % PAGE; break;
      case 11: to = own ^ (1ul << rnd() % 64); break;
    }
    ready = 1;
    if (sigsetjmp(back, 1) != 0) continue;
#if defined(__x86_64__)
    if (rnd() % 2) set_gs(to);
    else syscall(SYS_arch_prctl, ARCH_SET_GS, to);
    some_calls(rnd() % 100);
    if (rnd() % 4 == 0) set_gs(own);
#else
    /* There is no base to set: any stack pointer, since registers are kept below it, and any thread pointer. */
    for (int i = rnd() % 200; i > 0; i--) call_on_stack(to, rnd());
#endif
    some_calls(rnd() % 100);
  }
}

/* --- mappings over everything --- */
extern char __executable_start[], etext[];
static void unmap(void) {
  const uint64_t own = channel(), text = (uint64_t)__executable_start;
  pthread_t thread;
  for (int i = 0; i < 2; i++) pthread_create(&thread, 0, calling, (void *)rnd());
  some_calls(500);
  for (;;) {
    uint64_t at = 0, length = PAGE << rnd() % 6;
    switch (rnd() % 6) {
      case 0: at = text + PAGE * (rnd() % 64); if (rnd() % 64) continue; break;
#if defined(__x86_64__)
      case 1: case 2: at = text + 0x61000000 + PAGE * (rnd() % 8192); length = PAGE << rnd() % 13; break;
#else
      case 1: case 2: at = text - (3 << 20) + PAGE * (rnd() % 128) - 32 * PAGE; length = PAGE << rnd() % 5; break;
#endif
      case 3: at = gate_page(own) - 4 * PAGE + PAGE * (rnd() % 16); break;
      case 4: at = (own & -PAGE) + PAGE * (rnd() % 16 - 8); break;
      case 5: at = area(own) - AREA + PAGE * (rnd() % (3 * AREA / PAGE)); break;
    }
    at &= -PAGE;
    ready = 1;
    if (sigsetjmp(back, 1) != 0) continue;
    switch (rnd() % 6) {
      case 0: munmap((void *)at, length); break;
      case 1: mprotect((void *)at, length, rnd() % 8); break;
      case 2: mmap((void *)at, length, rnd() % 8, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
      case 3: mremap((void *)at, length, length * 2, MREMAP_MAYMOVE); break;
      case 4: madvise((void *)at, length, rnd() % 25); break;
      case 5: mmap((void *)at, length, rnd() % 8, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
    }
    some_calls(rnd() % 50);
  }
}

/* --- jumps to where nobody should go --- */
static uint64_t jumped_r11;
static void jump(uint64_t to, uint64_t nr, uint64_t r11) {
  static char path[] = "/tmp";
  ready = 1;
  struct itimerval soon = {.it_value = {0, 2000}};
  if (sigsetjmp(back, 1) == 0) {
    setitimer(ITIMER_REAL, &soon, 0);
#if defined(__x86_64__)
    asm volatile("mov %5, %%r11; sub $256, %%rsp; jmp *%0"
                 :
                 : "r"(to), "a"(nr), "D"(path), "S"(path), "d"(8ul), "r"(r11)
                 : "rcx", "r11", "memory");
#else
    register uint64_t x8 asm("x8") = nr, x0 asm("x0") = (uint64_t)path, x1 asm("x1") = (uint64_t)path, x2 asm("x2") = 8;
    asm volatile("mov x16, %1; mov x17, %2; sub sp, sp, #256; br %0"
                 :
                 : "r"(to), "r"(r11), "r"(rnd() % 2 ? r11 : trampoline_of(known_site)), "r"(x8), "r"(x0), "r"(x1), "r"(x2)
                 : "x16", "x17", "memory");
#endif
  }
  setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
}
static void jumps(void) {
  const uint64_t own = channel();
  some_calls(3000);
  uint64_t targets[32];
  int count = 0;
#if defined(__x86_64__)
  for (const uint8_t *at = (uint8_t *)__executable_start + PAGE; at < (uint8_t *)etext - 5 && count < 32; at++)
    if (at[0] == 0xe9 && at[4] == 0x61 && at[3] == 0xcc) targets[count++] = (uint64_t)at + 5 + *(int32_t *)(at + 1);
#else
  for (const uint32_t *at = (uint32_t *)__executable_start; at < (uint32_t *)etext && count < 32; at++) {
    const uint64_t to = trampoline_of(at);
    if (to != 0 && (to < (uint64_t)__executable_start || to >= (uint64_t)etext)) targets[count++] = to;
  }
#endif
  for (;;) {
    uint64_t to = gate_page(own) + rnd() % 640;
    if (count > 0 && rnd() % 2) to = targets[rnd() % count] + rnd() % 96;
    if (rnd() % 32 == 0) to = gate_page(own) + rnd() % PAGE;
    if (rnd() % 32 == 0) to = gate_page(own) - PAGE + rnd() % 64;
    const uint64_t r11 = rnd() % 3 ? own : rnd() % 2 ? rnd() : own + rnd() % PAGE;
    static const int kCalls[] = {SYS_getppid, SYS_access, SYS_read, SYS_write, SYS_stat, SYS_rt_sigreturn, SYS_fork, 500, 9999};
    jump(to, kCalls[rnd() % 9], r11);
    if (rnd() % 8 == 0) some_calls(20);
#if defined(__x86_64__)
    if (channel() != own && rnd() % 4 == 0) set_gs(0);
#endif
  }
}

static void attack(const char *how) {
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  catch_all();
  find_channel();
  dup2(devnull, 1); /* a call with other arguments is as good as its own */
  dup2(devnull, 2);
  /* Calls with any number and arguments come up: one may be kill(2), and the neighbour is not to be hit by what is allowed. */
  if (setresuid(65534, 65534, 65534) != 0) _exit(4);
  if (strcmp(how, "scribble") == 0) scribble();
  if (strcmp(how, "bases") == 0) bases();
  if (strcmp(how, "unmap") == 0) unmap();
  if (strcmp(how, "jumps") == 0) jumps();
  _exit(3);
}

int main(int argc, char **argv) {
  const int count = atoi(argv[2]);
  state = strtoul(argv[3], 0, 0);
  devnull = open("/dev/null", O_WRONLY);
  devzero = open("/dev/zero", O_RDONLY);
  shared = mmap(0, PAGE, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int status;
  const pid_t first = fork();
  if (first == 0) neighbour();
  for (int i = 0; i < count; i++) {
    const uint64_t seed = rnd();
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);
      state = seed;
      attack(argv[1]);
    }
    setpgid(child, child);
    const double limit = now() + 0.02 + (seed % 100) / 1000.0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (now() > limit) {
        kill(-child, SIGKILL);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        break;
      }
      usleep(2000);
    }
    kill(-child, SIGKILL); /* what it has forked */
    while (waitpid(-1, &status, WNOHANG) > 0) ;
  }
  shared->stop = 1;
  waitpid(first, &status, 0);
  printf("neighbour: status %d, wrong %d, worked %d\n", status, shared->wrong, shared->done > 10);
  return 0;
}
