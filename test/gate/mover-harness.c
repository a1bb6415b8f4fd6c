/*
 * Runs instructions where they are and where the mover put them, from the same state, and compares what they did: general
 * registers, flags, vector registers, memory, the kind and address of a fault, and the address execution went to. Reads cases
 * (see struct test_case; written by mover-native.test.ts) from the file argv[1], runs each from argv[2] different states, and
 * prints the differences and a line of counts.
 *
 * Everything around the code is int3, so every way out of it is a signal. The handler enters and leaves the code by changing
 * the context it returns to. As the kernel will, it sends a trap at an overwritten instruction to the moved one.
 *
 * Registers mostly point to a low multiple of WINDOW, and there is memory at the multiples that base + index * scale can give.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define SITE 0x50000800ul
#define TRAMPOLINE 0x1cccd405ul /* what jmp rel32 with the displacement 0xcccccc00 at SITE reaches */
#define WINDOW 0x08000000ul
#define WINDOW_SIZE 0x2000ul
#define ARITHMETIC_FLAGS 0xcd5
#define INT3 0xcc

struct test_case {
  uint8_t displacement; /* the trampoline is at TRAMPOLINE + this */
  uint8_t length;       /* of the original instructions */
  uint8_t size;         /* of the moved code */
  uint8_t falls;
  uint8_t starts; /* how many moved instructions there are */
  uint8_t unused[3];
  struct {
    uint8_t from, to;
  } moved[4];
  uint8_t original[48];
  uint8_t code[64];
};

struct state {
  uint64_t regs[16]; /* REG_R8 (0) to REG_RSP (15) */
  uint64_t flags;
  uint8_t vector[512]; /* low halves of ymm0-15, then high halves */
};

struct outcome {
  struct state state;
  uint64_t rip, address, trap, error, mxcsr;
  int signal, code;
};

static const unsigned multiples[] = {1, 2, 3, 4, 5, 8, 9};
#define WINDOWS (sizeof multiples / sizeof *multiples)
static uint8_t pristine[WINDOWS][WINDOW_SIZE], after[WINDOWS][WINDOW_SIZE];

static const struct test_case *current;
static const struct state *initial;
static struct outcome *result;
static uint64_t entry;
static int moved, running;
static ucontext_t home;
static uint8_t home_vector[512 + 64 + 256];

static uint64_t random_state = 1;
static uint64_t rnd(void) {
  uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static void *map(uint64_t address, size_t size, int protection) {
  void *p = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (p != (void *)address) fail("mmap");
  return p;
}

/* Whether the frame has the high halves of the ymm registers. */
static int has_ymm(const uint8_t *fp) {
  uint32_t magic;
  uint64_t features;
  memcpy(&magic, fp + 464, 4);
  memcpy(&features, fp + 472, 8);
  return magic == 0x46505853 && (features & 4);
}

static void enter_code(ucontext_t *context) {
  greg_t *gregs = context->uc_mcontext.gregs;
  uint8_t *fp = (uint8_t *)context->uc_mcontext.fpregs;
  for (int i = 0; i < 16; i++) gregs[i] = (greg_t)initial->regs[i];
  gregs[REG_RIP] = (greg_t)entry;
  gregs[REG_EFL] = (gregs[REG_EFL] & ~ARITHMETIC_FLAGS) | (greg_t)(initial->flags & ARITHMETIC_FLAGS);
  memset(fp + 32, 0, 128); /* x87 and MMX */
  memcpy(fp + 160, initial->vector, 256);
  if (has_ymm(fp)) {
    uint64_t components;
    memcpy(&components, fp + 512, 8);
    components = (components & 0x200) | 7; /* the rest starts out empty */
    memcpy(fp + 512, &components, 8);
    memcpy(fp + 576, initial->vector + 256, 256);
  }
}

/* Where the original of the moved instruction at `rip` is. */
static uint64_t original_address(uint64_t rip) {
  uint64_t offset = rip - TRAMPOLINE - current->displacement;
  if (moved)
    for (int i = 0; i < current->starts; i++)
      if (current->moved[i].to == offset) return SITE + current->moved[i].from;
  return rip;
}

static void on_signal(int signal, siginfo_t *info, void *pointer) {
  ucontext_t *context = pointer;
  greg_t *gregs = context->uc_mcontext.gregs;
  uint8_t *fp = (uint8_t *)context->uc_mcontext.fpregs;
  size_t fp_size = has_ymm(fp) ? sizeof home_vector : 512;
  uint64_t rip = (uint64_t)gregs[REG_RIP];
  if (!running) {
    home = *context;
    memcpy(home_vector, fp, fp_size);
    running = 1;
    enter_code(context);
    return;
  }
  if (signal == SIGTRAP && moved)
    for (int i = 0; i < current->starts; i++)
      if (rip - 1 == SITE + current->moved[i].from) {
        gregs[REG_RIP] = (greg_t)(TRAMPOLINE + current->displacement + current->moved[i].to);
        return;
      }
  memset(result, 0, sizeof *result);
  for (int i = 0; i < 16; i++) result->state.regs[i] = (uint64_t)gregs[i];
  result->state.flags = (uint64_t)gregs[REG_EFL] & ARITHMETIC_FLAGS;
  memcpy(result->state.vector, fp + 160, 256);
  if (has_ymm(fp) && (fp[512] & 4)) memcpy(result->state.vector + 256, fp + 576, 256);
  memcpy(&result->mxcsr, fp + 24, 4);
  result->rip = original_address(rip);
  result->signal = signal;
  result->code = info->si_code;
  if (signal != SIGTRAP) result->address = original_address((uint64_t)info->si_addr);
  result->trap = (uint64_t)gregs[REG_TRAPNO];
  result->error = (uint64_t)gregs[REG_ERR];
  running = 0;
  memcpy(gregs, home.uc_mcontext.gregs, sizeof home.uc_mcontext.gregs);
  gregs[REG_RIP] += 2; /* behind the ud2 in run() */
  memcpy(fp, home_vector, fp_size);
}

static void on_timeout(int signal) {
  (void)signal;
  static const char text[] = "the code does not end\n";
  (void)!write(1, text, sizeof text - 1);
  _exit(3);
}

static void run(uint64_t start, int in_trampoline, const struct state *state, struct outcome *outcome) {
  for (size_t i = 0; i < WINDOWS; i++) memcpy((void *)(multiples[i] * WINDOW), pristine[i], WINDOW_SIZE);
  entry = start;
  moved = in_trampoline;
  initial = state;
  result = outcome;
  __asm__ volatile("ud2" ::: "memory");
}

static void write_jump(uint64_t at, uint64_t target) {
  int32_t distance = (int32_t)(target - at - 5);
  *(uint8_t *)at = 0xe9;
  memcpy((void *)(at + 1), &distance, 4);
}

static void place(int rewritten) {
  uint64_t to = TRAMPOLINE + current->displacement;
  memset((void *)SITE, INT3, 64);
  memcpy((void *)(SITE + 2), current->original, current->length);
  if (!rewritten) return;
  write_jump(SITE, to);
  memset((void *)to, INT3, 80);
  memcpy((void *)to, current->code, current->size);
  if (current->falls) write_jump(to + current->size, SITE + 2 + current->length);
}

static uint64_t random_pointer(void) {
  return WINDOW + 0x100 + rnd() % 0x200;
}

static void random_values(struct state *state, int kind) {
  for (int i = 0; i < 16; i++) {
    unsigned dice = rnd() % 8;
    state->regs[i] = random_pointer();
    if (kind > 0 && dice < 2) state->regs[i] = rnd() % 64;
    if (kind > 1 && dice == 2) state->regs[i] = rnd();
  }
  state->flags = rnd();
  for (size_t i = 0; i < sizeof state->vector; i++) state->vector[i] = (uint8_t)rnd();
}

static void report(size_t index, uint64_t start, const struct outcome *a, const struct outcome *b, int memory) {
  printf("case %zu from %lu:", index, start - SITE);
  for (int i = 0; i < 16; i++)
    if (a->state.regs[i] != b->state.regs[i]) printf(" reg%d %lx/%lx", i, a->state.regs[i], b->state.regs[i]);
  if (a->state.flags != b->state.flags) printf(" flags %lx/%lx", a->state.flags, b->state.flags);
  if (memcmp(a->state.vector, b->state.vector, sizeof a->state.vector)) printf(" vector registers");
  if (a->rip != b->rip) printf(" rip %lx/%lx", a->rip, b->rip);
  if (a->signal != b->signal || a->code != b->code) printf(" signal %d,%d/%d,%d", a->signal, a->code, b->signal, b->code);
  if (a->address != b->address) printf(" address %lx/%lx", a->address, b->address);
  if (a->trap != b->trap || a->error != b->error) printf(" trap %lx,%lx/%lx,%lx", a->trap, a->error, b->trap, b->error);
  if (a->mxcsr != b->mxcsr) printf(" mxcsr");
  if (memory) printf(" memory");
  printf("\n");
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL) fail(argv[1]);
  static uint8_t stack[65536];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternate, NULL)) fail("sigaltstack");
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (sigaction(signals[i], &action, NULL)) fail("sigaction");
  struct sigaction timeout = {.sa_handler = on_timeout, .sa_flags = SA_ONSTACK};
  sigaction(SIGPROF, &timeout, NULL);
  const struct itimerval limit = {.it_value = {.tv_sec = 20}};
  setitimer(ITIMER_PROF, &limit, NULL);

  const int rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
  memset(map(SITE - 0x1800, 0x3000, rwx), INT3, 0x3000);
  memset(map(TRAMPOLINE & ~0xffful, 0x1000, rwx), INT3, 0x1000);
  for (size_t i = 0; i < WINDOWS; i++) {
    map(multiples[i] * WINDOW, WINDOW_SIZE, PROT_READ | PROT_WRITE);
    for (size_t j = 0; j < WINDOW_SIZE; j += 8) {
      uint64_t value = rnd() % 2 ? random_pointer() : rnd();
      memcpy(&pristine[i][j], &value, 8);
    }
  }
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, WINDOW)) fail("arch_prctl");

  size_t cases = 0, runs = 0, through = 0, elsewhere = 0, faults = 0, differences = 0;
  struct test_case test;
  for (; fread(&test, sizeof test, 1, file) == 1; cases++) {
    current = &test;
    for (int kind = 0; kind < atoi(argv[2]); kind++) {
      struct state state;
      random_values(&state, kind);
      for (int start = 0; start < test.starts; start++) {
        struct outcome before, behind;
        uint64_t from = SITE + test.moved[start].from;
        place(0);
        run(from, 0, &state, &before);
        for (size_t i = 0; i < WINDOWS; i++) memcpy(after[i], (void *)(multiples[i] * WINDOW), WINDOW_SIZE);
        place(1);
        run(start == 0 && kind % 2 == 0 ? SITE : from, 1, &state, &behind);
        int memory = 0;
        for (size_t i = 0; i < WINDOWS; i++) memory |= memcmp(after[i], (void *)(multiples[i] * WINDOW), WINDOW_SIZE);
        runs++;
        if (before.signal != SIGTRAP) faults++;
        else if (before.rip == SITE + 2 + test.length + 1) through++;
        else elsewhere++;
        if (memory || memcmp(&before, &behind, sizeof before)) {
          if (differences++ < 20) report(cases, from, &before, &behind, memory);
        }
      }
    }
  }
  printf("{\"cases\":%zu,\"runs\":%zu,\"through\":%zu,\"elsewhere\":%zu,\"faults\":%zu,\"differences\":%zu}\n", cases, runs,
         through, elsewhere, faults, differences);
  return 0;
}
