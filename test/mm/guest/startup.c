/*
 * Prints what a program finds at its start: argc, argv, envp, the order of the auxiliary vector, and whether the pieces
 * agree. No libc start-up runs before, so a wrong stack shows here and not as a crash. Built static, static-PIE and
 * dynamic; the last two go through relocation or the loader first.
 */
typedef unsigned long word;

static long call3(long nr, long a, long b, long c) {
  long ret;
#if defined(__x86_64__)
  __asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  ret = x0;
#endif
  return ret;
}
#if defined(__x86_64__)
#define NR_WRITE 1
#define NR_EXIT 231
#else
#define NR_WRITE 64
#define NR_EXIT 94
#endif

static char out[65536];
static int used;
static char bss[3 * 4096 + 7];
static int data = 42;

static void text(const char *s) {
  while (*s && used < (int)sizeof out) out[used++] = *s++;
}
static void number(word n) {
  char digits[24];
  int i = 24;
  digits[--i] = 0;
  do digits[--i] = '0' + n % 10; while (n /= 10);
  text(digits + i);
}
static void line(const char *name, word value) {
  text(name);
  text(" ");
  number(value);
  text("\n");
}

extern char __ehdr_start[], _end[];

__attribute__((used)) void begin(word *sp) {
  word argc = sp[0];
  char **argv = (char **)(sp + 1);
  char **envp = argv + argc + 1;
  word *auxv, *a;
  char **e = envp;
  int zero = 1;
  line("aligned", (word)sp % 16);
  line("argc", argc);
  for (word i = 0; i < argc; i++) text(argv[i]), text("\n");
  line("argv ends", argv[argc] == 0);
  while (*e) text(*e++), text("\n");
  auxv = (word *)(e + 1);
  for (a = auxv; a[0]; a += 2) {
    line("auxv", a[0]);
    switch (a[0]) {
      case 4: case 5: case 6: case 8: case 11: case 12: case 13: case 14: case 17: case 23: line(" value", a[1]); break;
      case 31: case 15: text(" string "), text((char *)a[1]), text("\n"); break;
      case 3: line(" phdr is ours", *(int *)a[1] == *(int *)(__ehdr_start + ((word *)__ehdr_start)[4])); break;
      case 7: line(" base set", a[1] != 0); break;
      case 9: line(" entry in image", a[1] >= (word)__ehdr_start && a[1] < (word)_end); break;
      case 25: line(" random above tables", a[1] > (word)a && a[1] < (word)argv[0]); break;
    }
  }
  /* Strings lie together and in order, the path to the program last. */
  if (argc > 1) {
    const char *end = argv[0];
    while (*end) end++;
    line("strings packed", argv[1] == end + 1);
  }
  for (unsigned i = 0; i < sizeof bss; i++) zero &= bss[i] == 0;
  line("bss zero", zero);
  line("data", data);
  data = 43;
  bss[sizeof bss - 1] = 1;
  {
    volatile char deep[100 * 1024];
    deep[0] = 7;
    line("stack", deep[0]);
  }
  call3(NR_WRITE, 1, (long)out, used);
  call3(NR_EXIT, 0, 0, 0);
}
#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#else
__asm__(".globl _start\n_start: mov x0, sp\n bl begin\n");
#endif
