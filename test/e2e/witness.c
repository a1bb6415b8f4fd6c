/*
 * Runs a command and tells what became of it: `witness [-t ROWS COLUMNS] COMMAND...`. With -t the command leads a session
 * on a new pseudo-terminal, and this program's stdin and stdout are the terminal's user; otherwise it inherits 0, 1, 2.
 *
 * It is a subreaper: every process that the command leaves behind becomes its child, so that none can hide. Those that
 * are still there GRACE_MS after the command's end are reported and killed.
 *
 * fd 3 takes commands, a line each: `size R C`, `kill SIGNAL`, `killtree SIGNAL` (all descendants but the command),
 * `termios`, `tree`, `hangup`. fd 4 gets reports: `pid N`, `termios HEX`, `tree COMM=N ...`, at the end
 * `status exit|signal N`, `leak PID COMM`, `left MS` (how long descendants outlived the command), `termios HEX`.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

enum { GRACE_MS = 1000, MAX = 4096 };
static int master = -1, slave = -1;
static pid_t command;

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void report_termios(void) {
  unsigned char bytes[36];
  if (slave < 0 || ioctl(slave, 0x5401 /* TCGETS */, bytes)) return;
  char text[80];
  for (int i = 0; i < 36; i++) sprintf(text + 2 * i, "%02x", bytes[i]);
  dprintf(4, "termios %s\n", text);
}

static struct process { pid_t pid, parent; char comm[20]; } table[1 << 15];
static int descendants[MAX], found;

/* All living descendants, as indexes into `table`. */
static void scan(void) {
  int n = 0;
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  while (proc && (entry = readdir(proc)) && n < (1 << 15)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    char path[300], line[512];
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = 0;
    char *open = strchr(line, '('), *close = strrchr(line, ')'), state;
    if (!open || !close || sscanf(close + 1, " %c %d", &state, &table[n].parent) != 2 || state == 'Z') continue;
    *close = 0;
    snprintf(table[n].comm, sizeof table[n].comm, "%s", open + 1);
    table[n++].pid = atoi(entry->d_name);
  }
  if (proc) closedir(proc);
  static pid_t known[MAX + 1];
  known[0] = getpid();
  found = 0;
  for (int from = 0; from <= found; from++)
    for (int i = 0; i < n && found < MAX; i++)
      if (table[i].parent == known[from]) {
        descendants[found++] = i;
        known[found] = table[i].pid;
      }
}

static void report_tree(void) {
  char text[1 << 14] = "tree";
  size_t at = 4;
  scan();
  for (int i = 0; i < found; i++) {
    int count = 0, first = 1;
    for (int j = 0; j < found; j++)
      if (!strcmp(table[descendants[i]].comm, table[descendants[j]].comm)) {
        if (j < i) first = 0;
        count++;
      }
    if (first && at < sizeof text - 40) at += sprintf(text + at, "\t%s=%d", table[descendants[i]].comm, count);
  }
  dprintf(4, "%s\n", text);
}

static void run(char *line) {
  int a = 0, b = 0;
  if (sscanf(line, "size %d %d", &a, &b) == 2) {
    struct winsize size = {a, b, 0, 0};
    ioctl(master, TIOCSWINSZ, &size);
  } else if (sscanf(line, "killtree %d", &a) == 1) {
    scan();
    for (int i = 0; i < found; i++)
      if (table[descendants[i]].pid != command) kill(table[descendants[i]].pid, a);
  } else if (sscanf(line, "kill %d", &a) == 1) kill(command, a);
  else if (!strcmp(line, "termios")) report_termios();
  else if (!strcmp(line, "tree")) report_tree();
  else if (!strcmp(line, "hangup")) {
    close(master);
    master = -1;
  }
}

static void put(const char *bytes, ssize_t n) {
  while (n > 0) {
    ssize_t done = write(1, bytes, n);
    if (done < 0 && errno != EINTR) return;
    if (done > 0) bytes += done, n -= done;
  }
}

int main(int argc, char **argv) {
  int tty = argc > 1 && !strcmp(argv[1], "-t");
  char **words = argv + (tty ? 4 : 1);
  sigset_t mask, old;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_BLOCK, &mask, &old);
  int children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  fcntl(3, F_SETFD, FD_CLOEXEC);
  fcntl(4, F_SETFD, FD_CLOEXEC);
  if (tty) {
    struct winsize size = {atoi(argv[2]), atoi(argv[3]), 0, 0};
    if (openpty(&master, &slave, NULL, NULL, &size)) return 120;
    fcntl(master, F_SETFD, FD_CLOEXEC);
    report_termios();
  }
  const pid_t self = getpid();
  command = fork();
  if (command == 0) {
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) _exit(121);
    if (tty) login_tty(slave);
    execvp(words[0], words);
    _exit(122);
  }
  dprintf(4, "pid %d\n", command);
  signal(SIGPIPE, SIG_IGN);
  if (tty) fcntl(slave, F_SETFD, FD_CLOEXEC);
  else close(0), close(1);

  char line[256], bytes[1 << 14];
  size_t at = 0;
  int status = 0, input = tty, commands = 1;
  long ended = 0, gone = 0;
  while (!gone) {
    struct pollfd p[4] = {
        {children, POLLIN, 0}, {commands ? 3 : -1, POLLIN, 0}, {input ? 0 : -1, POLLIN, 0}, {master, POLLIN, 0}};
    if (poll(p, 4, ended ? 10 : -1) < 0 && errno != EINTR) break;
    if (p[3].revents & POLLIN) {
      ssize_t n = read(master, bytes, sizeof bytes);
      if (n > 0) put(bytes, n);
    }
    if (p[2].revents) {
      ssize_t n = read(0, bytes, sizeof bytes);
      if (n <= 0) input = 0;
      for (ssize_t done = 0; done < n && master >= 0;) {
        ssize_t w = write(master, bytes + done, n - done);
        if (w < 0) break;
        done += w;
      }
    }
    if (p[1].revents) {
      char c;
      if (read(3, &c, 1) != 1) {
        commands = 0; /* the test is gone */
        kill(command, SIGKILL);
      } else if (c == '\n') {
        line[at] = 0;
        at = 0;
        run(line);
      } else if (at < sizeof line - 1) line[at++] = c;
    }
    struct signalfd_siginfo info;
    while (read(children, &info, sizeof info) > 0) continue;
    int s;
    for (pid_t pid; (pid = waitpid(-1, &s, WNOHANG)) != 0;) {
      if (pid < 0) {
        gone = now_ms();
        break;
      }
      if (pid != command) continue;
      status = s;
      ended = now_ms();
    }
    if (ended && !gone && now_ms() - ended > GRACE_MS) {
      scan();
      gone = now_ms();
      for (int i = 0; i < found; i++) {
        dprintf(4, "leak %d %s\n", table[descendants[i]].pid, table[descendants[i]].comm);
        kill(table[descendants[i]].pid, SIGKILL);
      }
    }
  }
  if (master >= 0) {
    fcntl(master, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(master, bytes, sizeof bytes)) > 0;) put(bytes, n);
  }
  report_termios();
  dprintf(4, "left %ld\nstatus %s %d\n", gone - ended, WIFSIGNALED(status) ? "signal" : "exit",
          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  return 0;
}
