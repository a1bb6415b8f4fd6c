/*
 * The executor: a guest without libc that runs compiled scripts of raw system calls and reports every result and every
 * change of the script's memory on a high descriptor. The same binary runs on the host, which is the oracle, and inside
 * levitate. test/README.md describes the whole; script.h the formats.
 *
 *   executor SCRIPT            runs every test of the file, each in a process of its own
 *   executor SCRIPT FIRST      the same from test FIRST on (after a test that took the whole run down)
 *   executor --pivot ...       first makes the working directory the root of its mount namespace (host only)
 *   executor ... @TEST:SECTION what a script's execve runs: that one section
 *
 * Built with -mgeneral-regs-only, so that vector registers hold what the script put there.
 */
#include "script.h"
#if defined(__x86_64__)
#include "arch-x86_64.h"
#elif defined(__aarch64__)
#include "arch-aarch64.h"
#else
#error "unknown architecture"
#endif

#define SC(nr, ...) SC_(NR_##nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SC_(nr, a, b, c, d, e, f, ...) syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#define EINTR 4
#define EAGAIN 11
#define ETIMEDOUT 110
#define SIGKILL 9
#define SIGCHLD 17
#define PAGE 4096

extern long spawn(long nr, long *args, void (*child)(void *), void *arg, long stack);
extern long registers(long nr, long *args, u64 *out);
extern long touch_read(u64), touch_write(u64), touch_execute(u64);
extern char touch_end[], touch_failed[], function_return[], restorer[];

u64 entry_registers[32];
static u64 *entry_stack;

static u8 *const script = (u8 *)SCRIPT_BASE;
static u32 test_number;
static struct test *test;
static u32 owner;                 /* of this process; threads share it */
static u32 handler_section[65];
static u64 touch_target;          /* where a touch is trying to jump to */
static s64 results[MAX_OPS];

/* ---- small things that a libc would have ---- */

void *memcpy(void *to, const void *from, u64 length) {
  u8 *t = to;
  const u8 *f = from;
  while (length--) *t++ = *f++;
  return to;
}

void *memset(void *to, int byte, u64 length) {
  volatile u8 *t = to;
  while (length--) *t++ = (u8)byte;
  return to;
}

static u64 length_of(const char *s) {
  u64 n = 0;
  while (s[n]) n++;
  return n;
}

static u64 parse_number(const char **s) {
  u64 n = 0;
  while (**s >= '0' && **s <= '9') n = n * 10 + (u64)(*(*s)++ - '0');
  return n;
}

static char *format_number(char *to, u64 n) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + n % 10);
  while (n /= 10);
  while (count) *to++ = digits[--count];
  *to = 0;
  return to;
}

static u64 now_ns(void) {
  u64 t[2];
  SC(clock_gettime, 1, t);
  return t[0] * 1000000000UL + t[1];
}

static void sleep_us(long us) {
  long t[2] = {0, us * 1000};
  SC(nanosleep, t, 0);
}

/* ---- the channel ---- */

/* One per nesting of run(): records of one operation leave in one write of at most PIPE_BUF bytes, hence unbroken. */
struct out {
  u32 used;
  u32 section;
  u8 bytes[4096];
};

static void flush(struct out *out) {
  u32 done = 0;
  while (done < out->used) {
    long n = SC(write, CHANNEL, out->bytes + done, out->used - done);
    if (n > 0) done += (u32)n;
    else if (n != -EINTR && n != -EAGAIN) break;
  }
  out->used = 0;
}

static void emit(struct out *out, u8 type, u32 op, s64 a, s64 b, const void *payload, u32 length) {
  u32 size = (u32)sizeof(struct record) + length;
  if (out->used + size > sizeof out->bytes) flush(out);
  struct record r = {size, type, 0, (u16)test_number, (u16)owner, (u16)out->section, op, a, b};
  memcpy(out->bytes + out->used, &r, sizeof r);
  memcpy(out->bytes + out->used + sizeof r, payload, length);
  out->used += size;
}

static void emit_memory(struct out *out, u32 op, u64 address, u64 length) {
  while (length) {
    u64 part = length < 2048 ? length : 2048;
    emit(out, RECORD_MEMORY, op, (s64)address, 0, (void *)address, (u32)part);
    address += part;
    length -= part;
  }
}

static void trouble(const char *text, s64 error) {
  struct out out;
  out.used = 0;
  out.section = 0;
  emit(&out, RECORD_TROUBLE, 0, error, 0, text, (u32)length_of(text));
  flush(&out);
}

/* ---- memory of a test ---- */

static struct region *region(u32 i) { return (struct region *)(script + test->region_offset) + i; }
static struct section *section(u32 i) { return (struct section *)(script + test->section_offset) + i; }

/* MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS */
static long map(u64 address, u64 length) { return SC(mmap, address, length, 3, 0x32, -1, 0); }

static void map_regions(void) {
  for (u32 i = 0; i < test->regions; i++) {
    struct region *r = region(i);
    u64 length = r->map_end - r->map_start;
    for (int copy = 0; copy < (r->flags & REGION_QUIET ? 1 : 2); copy++) {
      u64 base = r->map_start + (copy ? SHADOW_OFFSET : 0);
      long got = map(base, length);
      if (got != (long)base) {
        trouble("mmap of a region", got);
        continue;
      }
      if (r->fill) memset((void *)base, (int)r->fill, length);
      memcpy((u8 *)(r->data_start - r->map_start + base), script + r->data_offset, r->data_length);
    }
  }
}

/* Reports every byte that changed since the last time; gaps up to 8 bytes do not split a change. */
static void diff(struct out *out, u32 op) {
  if (test->flags & TEST_NO_DIFF) return;
  for (u32 i = 0; i < test->regions; i++) {
    struct region *r = region(i);
    if (r->flags & REGION_QUIET) continue;
    u64 *now = (u64 *)r->map_start, *end = (u64 *)r->map_end;
    u64 *then = (u64 *)(r->map_start + SHADOW_OFFSET);
    while (now < end) {
      if (*now == *then) {
        now++, then++;
        continue;
      }
      u64 *first = now;
      while (now < end && *now != *then) *then++ = *now++;
      emit_memory(out, op, (u64)first, (u64)now - (u64)first);
    }
  }
}

/* ---- signals ---- */

static void run(u32 index, u32 spawned_by);

void on_signal(int number, u8 *info, u64 *uc) {
  struct out out;
  out.used = 0;
  out.section = handler_section[number];
  u64 payload[6 + sizeof(struct signal_context) / 8];
  memcpy(payload, info, 48);
  struct signal_context context = {*uc_mask(uc), uc[0],        uc[2],       uc[3] & 0xffffffff,
                                   uc[4],        current_sp(), uc_trap(uc), uc_fault(uc)};
  memcpy(payload + 6, &context, sizeof context);
  emit(&out, RECORD_SIGNAL, 0, number, 0, payload, sizeof payload);
  flush(&out);
  u64 pc = *uc_pc(uc);
  if (pc >= (u64)touch_read && pc < (u64)touch_end) *uc_pc(uc) = (u64)touch_failed;
  else if (touch_target && pc == touch_target) uc_fail_execute(uc);
  if (handler_section[number] != NO_SECTION) run(handler_section[number], NO_SECTION);
}

/* ---- operations ---- */

static u64 value_of(struct arg *a) {
  switch (a->kind) {
    case ARG_RESULT: return (u64)(results[a->value] + a->addend);
    case ARG_NEGATED: return (u64)(a->addend - results[a->value]);
    case ARG_LOAD32: return (u64)(*(volatile int *)a->value + a->addend);
    case ARG_LOAD64: return (u64)(*(volatile s64 *)a->value + a->addend);
    case ARG_SYMBOL:
      return a->value == SYMBOL_HANDLER    ? (u64)signal_entry
             : a->value == SYMBOL_RESTORER ? (u64)restorer
             : a->value == SYMBOL_RETURN   ? (u64)function_return
                                           : current_sp() + (u64)a->addend;
    default: return (u64)(a->value + a->addend);
  }
}

static void store(u64 address, u64 value, u32 width) {
  if (width == 1) *(volatile u8 *)address = (u8)value;
  else if (width == 2) *(volatile u16 *)address = (u16)value;
  else if (width == 4) *(volatile u32 *)address = (u32)value;
  else *(volatile u64 *)address = value;
}

static long wait_word(u64 address, u32 value, u64 timeout_ms) {
  u64 end = now_ns() + timeout_ms * 1000000;
  while (*(volatile u32 *)address != value) {
    if (now_ns() > end) return -ETIMEDOUT;
    sleep_us(100);
  }
  return 0;
}

static long spin(u64 address, u32 value, u64 rounds) {
  while (*(volatile u32 *)address != value) {
    if (!rounds--) return -ETIMEDOUT;
    cpu_relax();
  }
  return 0;
}

/* Until /proc says that the task sleeps; without /proc, 10 ms. */
static long wait_blocked(u64 id) {
  char path[40] = "/proc/", *end = format_number(path + 6, id), stat[256];
  memcpy(end, "/stat", 6);
  for (int round = 0; round < 2000; round++) {
    long fd = SC(openat, -100, path, 0x80000);
    if (fd < 0) {
      sleep_us(10000);
      return 0;
    }
    long n = SC(read, fd, stat, sizeof stat);
    SC(close, fd);
    while (n > 0 && stat[n - 1] != ')') n--;
    if (n > 0 && (stat[n + 1] == 'S' || stat[n + 1] == 'Z' || stat[n + 1] == 'T')) return 0;
    sleep_us(200);
  }
  return -ETIMEDOUT;
}

static void report_start(struct out *out, u32 id) {
  u64 *p = entry_stack, argc = *p++, envc = 0;
  char *first = (char *)p[argc ? 0 : 1], *last = first;
  for (u64 i = 0; i < argc; i++) last = (char *)p[i] + length_of((char *)p[i]) + 1;
  p += argc + 1;
  for (; *p; p++, envc++) {
    if (!argc && !envc) first = (char *)*p;
    last = (char *)*p + length_of((char *)*p) + 1;
  }
  u64 length = argc || envc ? (u64)(last - first) : 0, any = 0;
  emit(out, RECORD_START, id, (s64)argc, (s64)envc, first, length < 2048 ? (u32)length : 2048);
  u64 *auxv = ++p;
  while (p[0]) p += 2;
  for (u32 i = 0; i < sizeof entry_registers / 8; i++) any |= entry_registers[i];
  emit(out, RECORD_AUXV, id, (s64)entry_stack, (s64)any, auxv, (u32)((u64)p - (u64)auxv));
  flush(out);
}

static void child_start(void *p) {
  struct op *op = p;
  struct section *s = section(op->target);
  if (s->kind == SECTION_PROCESS) owner = op->target;
  run(op->target, op->id);
  if (s->kind == SECTION_THREAD) SC(exit, 0);
  else SC(exit_group, 0);
}

static void operate(struct out *out, struct op *op) {
  long v[7], result = 0;
  u64 start = 0, elapsed = 0, saved[REGISTERS];
  u32 me = owner;
  for (int i = 0; i < 7; i++) v[i] = (long)value_of(&op->a[i]);
  if (op->flags & OP_TIMED) start = now_ns();
  switch (op->kind) {
    case OP_CALL: result = syscall6(op->nr, v[0], v[1], v[2], v[3], v[4], v[5]); break;
    case OP_SPAWN:
      result = spawn(op->nr, v, child_start, op, v[6]);
      owner = me; /* a vfork child has set it */
      break;
    case OP_STORE: store((u64)v[0], (u64)v[1], op->nr); break;
    case OP_REPORT: break;
    case OP_FILL: memset((void *)v[0], (int)v[2], (u64)v[1]); break;
    case OP_COPY: memcpy((void *)v[0], (void *)v[1], (u64)v[2]); break;
    case OP_TOUCH:
      touch_target = op->nr == 2 ? (u64)v[0] : 0;
      result = op->nr == 0 ? touch_read((u64)v[0]) : op->nr == 1 ? touch_write((u64)v[0]) : touch_execute((u64)v[0]);
      touch_target = 0;
      break;
    case OP_WAIT_WORD: result = wait_word((u64)v[0], (u32)v[1], (u64)v[2]); break;
    case OP_SPIN: result = spin((u64)v[0], (u32)v[1], (u64)v[2]); break;
    case OP_HANDLE: handler_section[op->nr] = op->target; break;
    case OP_WAIT_BLOCKED: result = wait_blocked((u64)v[0]); break;
    case OP_START: break;
    case OP_REGISTERS: result = registers(op->nr, v, saved); break;
    default: trouble("unknown operation", op->kind);
  }
  if (start) elapsed = now_ns() - start;
  results[op->id] = result;
  emit(out, RECORD_CALL, op->id, result, (s64)elapsed, 0, 0);
  if (op->kind == OP_REPORT) emit_memory(out, op->id, (u64)v[0], (u64)v[1]);
  if (op->kind == OP_START) report_start(out, op->id);
  if (op->kind == OP_REGISTERS) emit(out, RECORD_REGISTERS, op->id, result, 0, saved, sizeof saved);
  diff(out, op->id);
  flush(out);
}

static void run(u32 index, u32 spawned_by) {
  struct section *s = section(index);
  struct op *ops = (struct op *)(script + s->op_offset);
  struct out out;
  out.used = 0;
  out.section = index;
  if (spawned_by != NO_SECTION) {
    diff(&out, spawned_by); /* what clone itself wrote for the child */
    flush(&out);
  }
  for (u32 i = 0; i < s->ops; i++) operate(&out, &ops[i]);
}

/* ---- tests ---- */

static void select_test(u32 number) {
  test_number = number;
  test = (struct test *)(script + ((struct header *)script)->test_offset) + number;
  for (int i = 0; i < 65; i++) handler_section[i] = NO_SECTION;
}

static void test_process(void *unused) {
  (void)unused;
  char path[32] = "/tmp/t";
  u64 none = 0;
  format_number(path + 6, test_number);
  SC(setsid, 0);
  SC(rt_sigprocmask, 2, &none, 0, 8);
  SC(umask, 0);
  long r = SC(chdir, path);
  if (r < 0) trouble("chdir to the test's directory", r);
  SC(umask, 022);
  map_regions();
  run(0, NO_SECTION);
  SC(exit_group, 0);
}

/* Waits for SIGCHLD (blocked) or the deadline, whichever comes first. */
static void wait_for_child(u64 end) {
  u64 set = 1UL << (SIGCHLD - 1), now = now_ns();
  u64 left = end > now ? end - now : 1;
  u64 timeout[2] = {left / 1000000000, left % 1000000000};
  long r = SC(rt_sigtimedwait, &set, 0, timeout, 8);
  if (r < 0 && r != -EAGAIN && r != -EINTR) sleep_us(500);
}

static void run_test(u32 number) {
  long args[6] = {SIGCHLD, 0, 0, 0, 0, 0}, pid, r;
  char path[32] = "/tmp/t";
  int status = -1, timed_out = 0, other;
  struct out out;
  out.used = 0;
  out.section = 0;
  select_test(number);
  /* A filesystem of its own: nothing of a test stays, and leaks can be counted. */
  format_number(path + 6, number);
  SC(umask, 0);
  SC(mkdirat, -100, path, 0777);
  emit(&out, RECORD_BEGIN, number, 0, 0, 0, 0);
  flush(&out);
  r = SC(mount, "test", path, "tmpfs", 0, "mode=777");
  if (r < 0) trouble("mount of the test's directory", r);
  u64 start = now_ns(), end = start + test->timeout_ms * 1000000UL;
  pid = spawn(NR_clone, args, test_process, 0, 0);
  if (pid < 0) trouble("fork of a test", pid);
  while (pid > 0) {
    r = SC(wait4, pid, &status, 1 /* WNOHANG */, 0);
    if (r == pid) break;
    if (r < 0 && r != -EINTR) {
      trouble("wait for a test", r);
      break;
    }
    if (now_ns() > end) {
      if (timed_out++ == 20) break; /* not even SIGKILL ends it */
      SC(kill, pid, SIGKILL);
      end = now_ns() + 100000000;
    }
    wait_for_child(end);
  }
  SC(kill, -1, SIGKILL);
  while ((r = SC(wait4, -1, &other, 0x40000000 /* __WALL */, 0)) > 0 || r == -EINTR) {
  }
  u64 elapsed = now_ns() - start;
  r = SC(umount2, path, 2 /* MNT_DETACH */);
  if (r < 0) trouble("umount of the test's directory", r);
  emit(&out, RECORD_END, number, status, timed_out, &elapsed, sizeof elapsed);
  flush(&out);
}

static void load_script(const char *path) {
  long fd = SC(openat, -100, path, 0x80000), size, n;
  if (fd < 0) SC(exit_group, 121);
  size = SC(lseek, fd, 0, 2);
  if (size <= 0) SC(exit_group, 122);
  SC(lseek, fd, 0, 0);
  if (map(SCRIPT_BASE, ((u64)size + PAGE - 1) & -(u64)PAGE) != (long)SCRIPT_BASE) SC(exit_group, 123);
  for (long done = 0; done < size; done += n) {
    n = SC(read, fd, script + done, size - done);
    if (n <= 0) SC(exit_group, 124);
  }
  SC(close, fd);
  if (((struct header *)script)->magic != MAGIC) SC(exit_group, 125);
}

static void default_signals(void) {
  u64 action[4] = {0, 0, 0, 0}, set = 1UL << (SIGCHLD - 1);
  for (int i = 1; i <= 64; i++) SC(rt_sigaction, i, action, 0, 8);
  SC(rt_sigprocmask, 2, &set, 0, 8);
}

/* Moves stdout out of the way of the scripts and gives them /dev/null as descriptors 0 to 2. */
static void set_up_descriptors(void) {
  long r = SC(dup3, 1, CHANNEL, 0);
  if (r < 0) SC(exit_group, 120);
  for (int fd = 3; fd < 32; fd++) SC(close, fd);
  long null = SC(openat, -100, "/dev/null", 2);
  if (null < 0) trouble("open of /dev/null", null);
  for (int fd = 0; fd < 3; fd++) SC(dup3, null, fd, 0);
  SC(close, null);
}

/* An execve of a script names its section "@TEST:SECTION" in any argument or environment string. */
static const char *find_continuation(char **strings) {
  for (; *strings; strings++) {
    if ((*strings)[0] == '@' && (*strings)[1] >= '0' && (*strings)[1] <= '9') return *strings + 1;
  }
  return 0;
}

void start(u64 *sp) {
  u64 argc = sp[0];
  char **argv = (char **)(sp + 1), **envp = argv + argc + 1;
  entry_stack = sp;
  const char *at = find_continuation(argv);
  if (!at) at = find_continuation(envp);
  if (at) {
    u32 number = (u32)parse_number(&at), index;
    at++;
    index = (u32)parse_number(&at);
    load_script("/script");
    select_test(number);
    owner = index;
    map_regions();
    run(index, NO_SECTION);
    SC(exit_group, 0);
  }
  if (argc > 2 && argv[1][0] == '-') { /* --pivot: the working directory becomes the root */
    if (SC(pivot_root, ".", ".") < 0 || SC(umount2, ".", 2 /* MNT_DETACH */) < 0 || SC(chdir, "/") < 0) SC(exit_group, 118);
    argc--, argv++;
  }
  if (argc < 2) SC(exit_group, 119);
  load_script(argv[1]);
  const char *first = argc > 2 ? argv[2] : "0";
  default_signals();
  set_up_descriptors();
  SC(prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1);
  u64 no_core[2] = {0, (u64)-1};
  SC(prlimit64, 0, 4 /* RLIMIT_CORE */, no_core, 0);
  u32 tests = ((struct header *)script)->tests;
  for (u32 i = (u32)parse_number(&first); i < tests; i++) run_test(i);
  struct out out;
  out.used = 0;
  out.section = 0;
  emit(&out, RECORD_DONE, 0, 0, 0, 0, 0);
  flush(&out);
  SC(exit_group, 0);
}
