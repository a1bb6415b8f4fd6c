/*
 * A terminal for tests: runs ARGV on a new pseudo-terminal of 24 rows and 80 columns as its controlling terminal. What the
 * program prints goes to stdout. Commands on stdin, one a line:
 *
 *   I hex          typed
 *   S rows cols    the window changes its size
 *   H              the terminal goes away
 *
 * When the program has ended, one line on descriptor 3: its wait status, and whether the terminal's modes are as they were.
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
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master, slave;

static void command(char *line) {
  struct winsize size = {0};
  unsigned v;
  if (line[0] == 'I')
    for (char *p = line + 2; sscanf(p, "%2x", &v) == 1; p += 2) {
      unsigned char c = v;
      if (write(master, &c, 1) != 1) exit(5);
    }
  else if (line[0] == 'S' && sscanf(line + 1, "%hu %hu", &size.ws_row, &size.ws_col) == 2)
    ioctl(master, TIOCSWINSZ, &size);
  else if (line[0] == 'H') {
    close(slave);
    close(master);
    master = slave = -1;
  }
}

static void drain(int timeout) {
  char buf[65536];
  struct pollfd p = {master, POLLIN, 0};
  while (master >= 0 && poll(&p, 1, timeout) > 0) {
    ssize_t n = read(master, buf, sizeof buf);
    if (n <= 0 || write(1, buf, n) != n) break;
    timeout = 0;
  }
}

int main(int argc, char **argv) {
  static char line[1 << 16];
  size_t used = 0;
  struct winsize size = {24, 80, 0, 0};
  struct termios before, after;
  (void)argc;
  /* They are compared whole, padding too, which tcgetattr leaves alone. */
  memset(&before, 0, sizeof before);
  memset(&after, 0, sizeof after);
  master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) || unlockpt(master)) return 3;
  slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ioctl(master, TIOCSWINSZ, &size);
  tcgetattr(slave, &before);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
    close(3);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status, open = 1;
  while (waitpid(child, &status, WNOHANG) == 0) {
    struct pollfd p[2] = {{master, POLLIN, 0}, {open ? 0 : -1, POLLIN, 0}};
    poll(p, 2, 20);
    if (p[0].revents) drain(0);
    if (p[1].revents) {
      ssize_t n = read(0, line + used, sizeof line - used - 1);
      if (n <= 0) open = 0;
      else used += n;
      line[used] = 0;
      for (char *end; (end = strchr(line, '\n'));) {
        *end = 0;
        command(line);
        used -= end + 1 - line;
        memmove(line, end + 1, used + 1);
      }
    }
  }
  drain(50);
  int restored = slave < 0 || (tcgetattr(slave, &after) == 0 && memcmp(&before, &after, sizeof before) == 0);
  dprintf(3, "%d %d\n", status, restored);
  return 0;
}
