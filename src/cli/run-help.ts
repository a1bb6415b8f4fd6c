/** levitate-run's help: how it is used, examples, exit status. Its options are in options.ts. */
import { OPTIONS, type Command } from './options.js';

const EXIT_CODES = `Exit status:
  124    the guest was ended by --timeout
  125    levitate-run itself failed (bad option, no root filesystem, no ptrace)
  126    the program was found but cannot be executed
  127    the program was not found
  128+N  the program was killed by signal N (137: SIGKILL, 143: SIGTERM)
  else   the program's own exit status

Any option can also be given as an environment variable: LEVITATE_ROOT, LEVITATE_LOG_LEVEL, ...
Standard output holds only what the guest wrote. The root filesystem is a private copy: changes
to it are gone when the guest ends.`;

export const RUN: Command = {
  name: 'levitate-run',
  usage: 'Usage: $0 [options] PROGRAM [ARGS...]\n\nRuns a Linux program on a Linux kernel written in TypeScript.',
  options: OPTIONS,
  examples: [
    ['$0 busybox sh', 'an interactive shell'],
    ["$0 busybox sh -c 'uname -a; ps'", 'one command'],
    ['echo hello | $0 busybox tr a-z A-Z', 'in a pipe'],
    ['$0 --strace=trace.txt busybox ls /', 'with every system call written to a file'],
    ["$0 --strace-options='-y -e trace=%file' busybox ls /", 'only calls with file names, descriptors explained'],
    ["$0 --strace-options='-s 4096 -e /write' busybox id", 'only writes, with all of their data'],
    ["$0 --strace-options='-c -S calls' busybox find /", 'how often each call was made'],
    ['$0 --root alpine.tar.gz --user 1000 /bin/ls', "somebody else's root filesystem"],
    ['$0 --timeout 10s --memory 64M --pids 20 ./untrusted', 'with limits'],
  ],
  epilogue: EXIT_CODES,
};
