/* Handlers that return through frames they have changed or moved: what is left of the registers. Arguments: f: moved into a shared
 * file mapping, not private memory; w: with wide vector registers in use. A line a case. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGES = 4, LEN = PAGES * 4096, FRAME = 440, MAGIC2 = 0x46505845 };
static int which, wide;
static char *area;

#define U32(p) (*(unsigned *)(p))
#define U64(p) (*(unsigned long *)(p))
static void handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char *frame = (char *)uc - 8, *fp = (char *)uc->uc_mcontext.fpregs;
	unsigned size = U32(fp + 464 + 16);
	char *to = frame, *fpto = fp, *end = area + LEN;
	switch (which) {
	case 0: break;
	case 1: memcpy(to = area + 8, frame, FRAME); break;             /* the frame moved, the state not */
	case 2: memcpy(fpto = area + 64, fp, size + 4); break;          /* the state moved */
	case 3: U32(fp + size) = 0; break;                              /* no second magic number */
	case 4: fpto = 0; break;
	case 5: fpto = (char *)0x1000; break;
	case 6: memcpy(fpto = end - 512, fp, 512); break;               /* the mapping ends in the state */
	case 7: memcpy(to = end - FRAME, frame, FRAME); break;          /* ends behind the frame */
	case 8: U32(fp + 24) = ~0u; break;                              /* bad MXCSR */
	case 9: U32(fp + 512) = ~0u; break;                             /* unknown components */
	case 10: U32(fp + 464 + 16) = size + 64; U32(fp + 464 + 4) = size + 68; break;
	case 11: U32(fp + 464 + 16) = 576; U32(fp + 576) = MAGIC2; U64(fp + 512) &= 3; break; /* short, but whole */
	case 12: U32(fp + 464 + 16) = 100; break;
	case 13: memcpy(to = area + 24, frame, 456 + size + 4); fpto = to + 456; break;      /* misaligned */
	case 14: U32(fp + 464) = 0; break;
	case 15: U32(fp + 464 + 4) = size - 4; break;
	case 16: memcpy(to = end - FRAME, frame, FRAME); fpto = to + 456; break;
	case 17: U64(fp + 512) = 0; break;
	case 18: U64(fp + 512) = 1; break;
	case 19: U64(fp + 512) = 2; memset(fp, 0xff, 24); break;
	case 20: fp[521] = 1; break;                                    /* reserved */
	case 21: memcpy(fpto = area + 72, fp, 512); U32(fpto + 464) = 0; break;
	case 22: memcpy(fpto = area + 80, fp, 512); U32(fpto + 464) = 0; break;
	case 23: memcpy(fpto = area + 96, fp, size + 4); break;
	case 24: U64(fp + 512) = 0; U32(fp + 24) = ~0u; break;
	case 25: memcpy(to = area + 56, frame, 456 + size + 4); fpto = to + 456; break;      /* both moved, as they were */
	case 26: memcpy(to = end - 456 - size, frame, 456 + size); fpto = to + 456; break;   /* ends before the magic number */
	}
	*(char **)(to + 8 + 40 + 184) = fpto;
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" ::"r"(to + 8) : "memory");
}

static void run(int shared)
{
	char *base = mmap(0, LEN + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char name[] = "/tmp/sigreturnXXXXXX";
	int fd = -1;
	if (shared) {
		fd = mkstemp(name);
		unlink(name);
		if (ftruncate(fd, LEN)) exit(1);
	}
	area = mmap(base, LEN, PROT_READ | PROT_WRITE, MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS), fd, 0);
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &sa, 0);
	unsigned char in[32], out[32] = {0};
	unsigned csr = 0x1fc0, csrout;
	unsigned short cw = 0x37e, cwout;
	long result, pid = getpid();
	memset(in, 0x42, sizeof in);
	if (wide) __asm__ volatile("vmovups %0, %%ymm7" ::"m"(in) : "xmm7");
	else __asm__ volatile("movups %0, %%xmm7" ::"m"(in) : "xmm7");
	__asm__ volatile("ldmxcsr %3; fldcw %4; syscall; movups %%xmm7, %1; stmxcsr %2; fnstcw %5"
			 : "=a"(result), "=m"(out), "=m"(csrout)
			 : "m"(csr), "m"(cw), "m"(cwout), "0"(62L), "D"(pid), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "xmm7");
	if (wide) __asm__ volatile("vmovups %%ymm7, %0" : "=m"(out));
	printf("%d: xmm %02x ymm %02x mxcsr %x fcw %x result %ld\n", which, out[0], out[16], csrout & 0xffff, cwout, result);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *options = argc > 1 ? argv[1] : "";
	wide = strchr(options, 'w') && __builtin_cpu_supports("avx");
	for (which = 0; which <= 26; which++) {
		pid_t pid = fork();
		int status;
		if (!pid) run(!!strchr(options, 'f'));
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status)) printf("%d: signal %d\n", which, WTERMSIG(status));
		fflush(stdout);
	}
	return 0;
}
