/*
 * The oracle of the line discipline tests: drives a pseudo-terminal of the host. Reads commands on stdin, one a line, and
 * answers each with one line: RESULT OUTPUT SIGNALS, where OUTPUT is what came out of the master meanwhile (hex, or -) and
 * SIGNALS lists the signals raised (numbers joined by commas, or -).
 *
 *   N            new pty, the controlling terminal of this process
 *   T how hex    TCSETS (0), TCSETSW (1), TCSETSF (2) with the 36 bytes of struct termios
 *   G            TCGETS: hex
 *   I hex        input: written to the master
 *   W hex        written to the slave, not blocking: bytes taken or E<errno>
 *   R n          read from the slave, not blocking: hex, - for nothing, or E<errno>
 *   B n ms       read from the slave, blocking, with SIGALRM after ms: hex/-/E<errno> then :elapsed-ms
 *   Q            FIONREAD of the slave
 *   P            poll of the slave: events
 *   F n, X n     TCFLSH, TCXONC
 *   K on         packet mode of the master
 *   D us         how long to wait for the kernel's worker where it cannot be flushed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TCGETS_ 0x5401
#define TCSETS_ 0x5402
#define TCXONC_ 0x540A
#define TCFLSH_ 0x540B

static int master = -1, slave = -1, delay_us = 500;
static volatile sig_atomic_t raised[32];

static void on_signal(int sig) {
  if (sig != SIGALRM) raised[sig] = 1;
}

static void pause_us(int us) {
  struct timespec t = {us / 1000000, (us % 1000000) * 1000L};
  while (nanosleep(&t, &t) < 0 && errno == EINTR)
    ;
}

static int input_available(void) {
  struct pollfd p = {slave, POLLIN, 0}; /* flushes the worker when there is none yet */
  while (poll(&p, 1, 0) < 0 && errno == EINTR)
    ;
  return p.revents & POLLIN;
}

/* Lets the worker that moves input from the master to the discipline finish. */
static void settle(void) {
  if (input_available()) pause_us(delay_us);
}

static void put_hex(const unsigned char *b, ssize_t n) {
  if (n <= 0) putchar('-');
  for (ssize_t i = 0; i < n; i++) printf("%02x", b[i]);
}

static size_t get_hex(const char *s, unsigned char *b) {
  size_t n = 0;
  unsigned v;
  while (sscanf(s + 2 * n, "%2x", &v) == 1) b[n++] = v;
  return n;
}

static void result(ssize_t r, const unsigned char *b) {
  if (r < 0) printf("E%d", errno);
  else put_hex(b, r);
}

static void finish(void) {
  static unsigned char b[1 << 16];
  static unsigned char all[1 << 20];
  size_t total = 0;
  ssize_t n;
  putchar(' ');
  while ((n = read(master, b, sizeof b)) > 0 || (n < 0 && errno == EINTR)) {
    if (n < 0) continue;
    memcpy(all + total, b, n);
    total += n;
  }
  put_hex(all, total);
  putchar(' ');
  int any = 0; /* each once, ascending: signals do not queue */
  for (int sig = 1; sig < 32; sig++) {
    if (raised[sig]) printf(any++ ? ",%d" : "%d", sig);
    raised[sig] = 0;
  }
  if (!any) putchar('-');
  putchar('\n');
  fflush(stdout);
}

static void fresh(void) {
  if (slave >= 0) {
    ioctl(slave, TIOCNOTTY);
    close(slave);
    close(master);
  }
  master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (master < 0 || grantpt(master) || unlockpt(master)) exit(3);
  slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (slave < 0 || ioctl(slave, TIOCSCTTY, 0)) exit(4);
  memset((void *)raised, 0, sizeof raised);
}

int main(void) {
  static char line[1 << 17];
  static unsigned char buf[1 << 16];
  pid_t child = fork();
  if (child > 0) { /* a session leader must not be the leader of the caller's process group */
    int status;
    close(0);
    while (waitpid(child, &status, 0) < 0)
      ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }
  setsid();
  struct sigaction sa = {.sa_handler = on_signal};
  int sigs[] = {SIGINT, SIGQUIT, SIGTSTP, SIGALRM, SIGWINCH};
  for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) sigaction(sigs[i], &sa, NULL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);

  while (fgets(line, sizeof line, stdin)) {
    int a = 0, b = 0;
    size_t n;
    ssize_t r;
    sscanf(line + 1, "%d %d", &a, &b);
    switch (line[0]) {
    case 'N': fresh(); printf("0"); break;
    case 'T':
      get_hex(line + 4, buf);
      r = ioctl(slave, TCSETS_ + a, buf);
      printf(r < 0 ? "E%d" : "0", errno);
      settle();
      break;
    case 'G':
      r = ioctl(slave, TCGETS_, buf);
      result(r < 0 ? r : 36, buf);
      break;
    case 'I':
      n = get_hex(line + 2, buf);
      input_available();
      r = write(master, buf, n);
      settle();
      printf(r < 0 ? "E%d" : "0", errno);
      break;
    case 'W':
      n = get_hex(line + 2, buf);
      do r = write(slave, buf, n);
      while (r < 0 && errno == EINTR);
      if (r < 0) printf("E%d", errno);
      else printf("%zd", r);
      break;
    case 'R':
      do r = read(slave, buf, a);
      while (r < 0 && errno == EINTR);
      result(r, buf);
      settle(); /* input that had no room comes in now */
      break;
    case 'B': {
      struct itimerval it = {{0, 0}, {b / 1000, b % 1000 * 1000}};
      struct timespec t0, t1;
      fcntl(slave, F_SETFL, O_RDWR);
      clock_gettime(CLOCK_MONOTONIC, &t0);
      setitimer(ITIMER_REAL, &it, NULL);
      r = read(slave, buf, a);
      clock_gettime(CLOCK_MONOTONIC, &t1);
      memset(&it, 0, sizeof it);
      int saved = errno;
      setitimer(ITIMER_REAL, &it, NULL);
      fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
      errno = saved;
      result(r, buf);
      printf(":%ld", (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000);
      break;
    }
    case 'Q': ioctl(slave, FIONREAD, &a); printf("%d", a); break;
    case 'P': {
      struct pollfd p = {slave, POLLIN | POLLOUT, 0};
      while (poll(&p, 1, 0) < 0 && errno == EINTR)
        ;
      printf("%d", p.revents);
      break;
    }
    case 'F': case 'X':
      r = ioctl(slave, line[0] == 'F' ? TCFLSH_ : TCXONC_, a);
      printf(r < 0 ? "E%d" : "0", errno);
      settle();
      break;
    case 'K': r = ioctl(master, TIOCPKT, &a); printf(r < 0 ? "E%d" : "0", errno); break;
    case 'D': delay_us = a; printf("0"); break;
    default: return 5;
    }
    if (master >= 0) finish();
    else { puts(" - -"); fflush(stdout); }
  }
  return 0;
}
