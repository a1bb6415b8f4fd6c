import { beforeEach, describe, expect, it } from '@jest/globals';
import { AT_FDCWD, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR, O_WRONLY } from '../../src/abi/flags/open.js';
import type { Task } from '../../sched/task.js';
import { devtmpfsType, registerMemDevices } from '../../fs/devtmpfs/index.js';
import { DirectoryFile } from '../../fs/directory-file.js';
import { mountAt } from '../../fs/mount-ops.js';
import { mkdir, unlink } from '../../fs/namespace-ops.js';
import { procfsType } from '../../fs/procfs/index.js';
import { sysfsType } from '../../fs/sysfs/index.js';
import { setExe } from '../../fs/references.js';
import { resolve } from '../../fs/walk.js';
import { createPipe, openFifo } from '../../src/ipc/pipe-file.js';
import {
  close,
  open,
  outcome,
  readBytes,
  testKernel,
  testTask,
  writeBytes,
  writeFile,
  type TestKernel,
} from '../fs/fake.js';
import { BASE, fakeMemory } from '../ipc/fake.js';

let test: TestKernel;
let task: Task;

/** Guest memory with a program's layout: arguments at BASE, environment behind them. */
function addMemory(owner: Task, args: string, env: string): void {
  const mm = fakeMemory() as ReturnType<typeof fakeMemory> & Record<string, unknown>;
  Buffer.from(args + env, 'latin1').copy(mm.bytes);
  const argEnd = BASE + args.length;
  owner.mm = Object.assign(mm, {
    users: 1,
    virtualBytes: 3133440,
    rssBytes: () => 418 * 4096,
    peakRssBytes: () => 418 * 4096,
    mincore: (_addr: number, length: number) => new Uint8Array(length / 4096).fill(1),
    layout: {
      startCode: 0x400000,
      endCode: 0x401234,
      startData: 0x402000,
      endData: 0x402100,
      startBrk: 0x403000,
      brk: 0x404000,
      startStack: 0x7ffc00000000,
      argStart: BASE,
      argEnd,
      envStart: argEnd,
      envEnd: argEnd + env.length,
      auxv: new Uint8Array([6, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0]),
      mmapBase: 0,
    },
    vmas: () => [
      {
        start: 0x400000,
        end: 0x402000,
        prot: 5,
        flags: 0,
        offset: 0x1000,
        name: '',
        file: { describe: () => ({ devMajor: 0, devMinor: 20, ino: 7, path: '/bin/cat' }) },
      },
      { start: 0x403000, end: 0x404000, prot: 3, flags: 0, offset: 0, name: '[heap]', file: null },
      { start: 0x7f0000000000, end: 0x7f0000001000, prot: 3, flags: 1, offset: 0, name: '', file: null },
    ],
    find: () => null,
  });
}

beforeEach(() => {
  test = testKernel();
  ({ task } = test);
  const { kernel } = test;
  (kernel as { cpus: number }).cpus = 2;
  (kernel as { memory: object }).memory = { committedBytes: 4096, limitBytes: 1 << 26 };
  kernel.vfs.registerType(procfsType);
  kernel.vfs.registerType(devtmpfsType);
  kernel.vfs.fifoOpen = openFifo;
  registerMemDevices(kernel);
  for (const name of ['proc', 'dev', 'tmp']) mkdir(task, AT_FDCWD, `/${name}`, 0o755);
  mountAt(task, 'proc', 'proc', '/proc');
  mountAt(task, 'devtmpfs', 'devtmpfs', '/dev');
  task.comm = 'cat';
  addMemory(task, 'cat\0a b\0', 'A=1\0');
});

const read = (path: string, who = task): string => {
  const file = open(who, path);
  const text = readBytes(who, file, 1 << 20).toString('latin1');
  close(file);
  return text;
};
const link = (path: string): string => {
  const file = open(task, path, O_PATH | O_NOFOLLOW.x86_64);
  const text = file.inode.readlink!(task);
  close(file);
  return text;
};
function list(path: string): string[] {
  const file = open(task, path) as DirectoryFile;
  const names: string[] = [];
  // One entry a call, as with a tiny buffer: positions must carry.
  for (let more = true; more;) {
    more = false;
    let taken = false;
    file.iterate(task, (name) => {
      if (taken) return false;
      names.push(name);
      return (taken = more = true);
    });
  }
  close(file);
  return names;
}

describe('process files', () => {
  it('stat has 52 fields in their places', () => {
    task.comm = 'a b) c';
    const text = read('/proc/self/stat');
    const rest = text.slice(text.lastIndexOf(')') + 2, -1).split(' ');
    expect(text.startsWith(`${task.tid} (a b) c) `)).toBe(true);
    expect(rest).toHaveLength(50);
    expect(rest[0]).toBe('R');
    expect(rest.slice(2, 6)).toEqual([`${task.tid}`, `${task.tid}`, '0', '-1']);
    expect(rest[16]).toBe('0');
    expect(rest[20]).toBe('3133440');
    expect(rest[21]).toBe('418');
    expect(rest[22]).toBe('18446744073709551615');
    expect(rest[23]).toBe(`${0x400000}`);
    expect(rest.at(-4)).toBe(`${BASE + 8}`);
  });

  it('hides addresses from a reader without rights', () => {
    const other = testTask(test.kernel, 1000, 1000);
    const rest = read(`/proc/${task.tid}/stat`, other).split(') ')[1].split(' ');
    expect(rest[23]).toBe('1');
    expect(rest[25]).toBe('0');
    expect(outcome(() => open(other, `/proc/${task.tid}/maps`))).toBe('EACCES');
    expect(outcome(() => open(other, `/proc/${task.tid}/environ`))).toBe('EACCES');
    expect(outcome(() => read(`/proc/${task.tid}/cmdline`, other))).toBe('cat\0a b\0');
  });

  it('status, statm, limits and io look like Linux', () => {
    const status = read('/proc/self/status');
    expect(status).toContain('Name:\tcat\nUmask:\t0022\nState:\tR (running)\n');
    expect(status).toContain('VmSize:\t    3060 kB\n');
    expect(status).toContain('VmRSS:\t    1672 kB\n');
    expect(status).toContain('\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n');
    expect(status).toContain('\nCapEff:\t000001ffffffffff\n');
    expect(read('/proc/self/statm')).toMatch(/^765 418 \d+ 2 0 \d+ 0\n$/);
    expect(read('/proc/self/limits').split('\n')[4]).toBe(
      'Max stack size            8388608              unlimited            bytes     ',
    );
    expect(read('/proc/self/io')).toMatch(/^rchar: \d+\nwchar: \d+\n/);
  });

  it('maps: name in column 74, offsets of files, sharing', () => {
    expect(read('/proc/self/maps')).toBe(
      '00400000-00402000 r-xp 00001000 00:14 7                                  /bin/cat\n' +
        '00403000-00404000 rw-p 00000000 00:00 0                                  [heap]\n' +
        '7f0000000000-7f0000001000 rw-s 00000000 00:00 0 \n',
    );
    expect(read('/proc/self/smaps')).toContain('Rss:                   8 kB\n');
  });

  it('cmdline, environ, auxv, comm', () => {
    expect(read('/proc/self/cmdline')).toBe('cat\0a b\0');
    expect(read('/proc/self/environ')).toBe('A=1\0');
    expect(read('/proc/self/auxv')).toHaveLength(16);
    expect(read('/proc/self/comm')).toBe('cat\n');
    writeFile(task, '/proc/self/comm', 'a-name-that-is-too-long');
    expect(task.comm).toBe('a-name-that-is-');
    // setproctitle: no NUL at the end, so the title runs on.
    addMemory(task, 'title go', 'es on\0');
    expect(read('/proc/self/cmdline')).toBe('title goes on');
  });

  it('oom_score_adj checks its range', () => {
    const file = open(task, '/proc/self/oom_score_adj', O_RDWR);
    expect(outcome(() => writeBytes(task, file, '1001'))).toBe('EINVAL');
    expect(outcome(() => writeBytes(task, file, '-17\n'))).toBe(4);
    expect(read('/proc/self/oom_score_adj')).toBe('-17\n');
    close(file);
  });

  it('fd: links to paths, deleted files and pipes; followed to the object', () => {
    writeFile(task, '/tmp/f', 'hello');
    task.files.set(0, open(task, '/tmp/f'), false);
    const [readEnd, writeEnd] = createPipe(task, 0);
    task.files.set(1, writeEnd, true);
    task.files.set(5, readEnd, false);
    expect(list('/proc/self/fd')).toEqual(['.', '..', '0', '1', '5']);
    expect(link('/proc/self/fd/0')).toBe('/tmp/f');
    unlink(task, AT_FDCWD, '/tmp/f');
    expect(link('/proc/self/fd/0')).toBe('/tmp/f (deleted)');
    expect(read('/proc/self/fd/0')).toBe('hello');
    expect(link('/proc/self/fd/1')).toBe(`pipe:[${readEnd.inode.ino}]`);
    const again = open(task, '/proc/self/fd/5', O_WRONLY);
    expect(again.inode).toBe(readEnd.inode);
    close(again);
    expect(resolve(task, AT_FDCWD, '/proc/self/fd/1', 0).dentry.inode!.mode & 0o777).toBe(0o300);
    expect(outcome(() => open(task, '/proc/self/fd/9'))).toBe('ENOENT');
    expect(read('/proc/self/fdinfo/1')).toMatch(/^pos:\t0\nflags:\t02000001\nmnt_id:\t\d+\nino:\t\d+\n$/);
  });

  it('exe, cwd and root', () => {
    writeFile(task, '/tmp/prog', 'x');
    expect(outcome(() => link('/proc/self/exe'))).toBe('ENOENT');
    setExe(task.group, resolve(task, AT_FDCWD, '/tmp/prog', 0));
    expect(link('/proc/self/exe')).toBe('/tmp/prog');
    expect(link('/proc/self/cwd')).toBe('/');
    expect(link('/proc/self/root')).toBe('/');
    expect(read('/proc/self/exe')).toBe('x');
  });

  it('task lists the threads; a reaped process is gone', () => {
    expect(list('/proc/self/task')).toEqual(['.', '..', `${task.tid}`]);
    expect(read(`/proc/self/task/${task.tid}/comm`)).toBe('cat\n');
    const other = testTask(test.kernel);
    const file = open(task, `/proc/${other.tid}/comm`);
    const dir = open(task, `/proc/${other.tid}`);
    test.kernel.pids.tasks.delete(other.tid);
    test.kernel.pids.groups.delete(other.tid);
    expect(outcome(() => readBytes(task, file, 10))).toBe('ESRCH');
    expect(outcome(() => open(task, `/proc/${other.tid}/comm`))).toBe('ENOENT');
    expect(dir.inode.lookup!('comm', task)).toBeNull();
  });

  it('shows a zombie without memory', () => {
    const other = testTask(test.kernel);
    other.exited = true;
    other.group.zombie = true;
    expect(read(`/proc/${other.tid}/stat`)).toMatch(/^\d+ \(test\) Z /);
    expect(read(`/proc/${other.tid}/cmdline`)).toBe('');
    expect(read(`/proc/${other.tid}/status`)).toContain('State:\tZ (zombie)\n');
    expect(list(`/proc/${other.tid}/fd`)).toEqual(['.', '..']);
  });
});

describe('the root', () => {
  it('lists entries once, then processes; self leads to the reader', () => {
    const names = list('/proc');
    expect(new Set(names).size).toBe(names.length);
    for (const name of ['cpuinfo', 'meminfo', 'stat', 'mounts', 'self', 'sys', 'uptime', `${task.tid}`])
      expect(names).toContain(name);
    expect(link('/proc/self')).toBe(`${task.tid}`);
    expect(link('/proc/thread-self')).toBe(`${task.tid}/task/${task.tid}`);
    expect(link('/proc/mounts')).toBe('self/mounts');
  });

  it('every file opens and reads', () => {
    const walk = (path: string): number => {
      let count = 0;
      for (const name of list(path).slice(2)) {
        const inode = resolve(task, AT_FDCWD, `${path}/${name}`, 0).dentry.inode!;
        if (inode.isDir) count += walk(`${path}/${name}`);
        else if (inode.isRegular && name !== 'mem' && name !== 'syscall' && !path.endsWith('/attr')) {
          if ((inode.mode & 0o444) !== 0) read(`${path}/${name}`);
          count++;
        }
      }
      return count;
    };
    expect(walk('/proc')).toBeGreaterThan(150);
  });

  it('system files have the lines that programs look for', () => {
    expect(read('/proc/stat')).toMatch(/^cpu {2}\d+ 0 \d+ \d+ 0 0 0 0 0 0\ncpu0 .*\ncpu1 .*\nintr/);
    expect(read('/proc/stat')).toContain(`\nbtime ${test.kernel.bootSec}\n`);
    expect(read('/proc/meminfo')).toMatch(/^MemTotal: {10}65536 kB\nMemFree: +\d+ kB\nMemAvailable:/);
    expect(read('/proc/uptime')).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
    expect(read('/proc/loadavg')).toMatch(/^0\.00 0\.00 0\.00 1\/1 \d+\n$/);
    expect(read('/proc/version')).toMatch(/^Linux version \S+ \(/);
    expect(read('/proc/filesystems')).toContain('nodev\tproc\nnodev\tdevtmpfs\n');
    expect(read('/proc/devices')).toContain('  1 mem\n');
    expect(read('/proc/cpuinfo').match(/^processor\t: /gm)).toHaveLength(2);
    expect(read('/proc/mounts')).toContain('proc /proc proc rw,relatime 0 0\n');
    expect(read('/proc/self/mountinfo')).toMatch(/^\d+ \d+ 0:\d+ \/ \/proc rw,relatime - proc proc rw$/m);
  });

  it('a file read in pieces is of one moment, from the start it is new', () => {
    const file = open(task, '/proc/self/comm');
    expect(readBytes(task, file, 2).toString()).toBe('ca');
    task.comm = 'other';
    expect(readBytes(task, file, 10).toString()).toBe('t\n');
    file.seek(task, 0, 0);
    expect(readBytes(task, file, 10).toString()).toBe('other\n');
    expect(readBytes(task, file, 3, 1).toString()).toBe('the');
    close(file);
  });
});

describe('/proc/sys', () => {
  it('hostname is the kernel name and can be set', () => {
    expect(read('/proc/sys/kernel/hostname')).toBe('test\n');
    writeFile(task, '/proc/sys/kernel/hostname', 'box\n');
    expect(test.kernel.hostname).toBe('box');
    const other = testTask(test.kernel, 1000, 1000);
    expect(outcome(() => open(other, '/proc/sys/kernel/hostname', O_WRONLY))).toBe('EACCES');
  });
  it('numbers are kept and checked', () => {
    const file = open(task, '/proc/sys/vm/swappiness', O_RDWR);
    expect(outcome(() => writeBytes(task, file, 'x'))).toBe('EINVAL');
    expect(outcome(() => writeBytes(task, file, '201'))).toBe('EINVAL');
    expect(outcome(() => writeBytes(task, file, ' 10 \n'))).toBe(5);
    close(file);
    expect(read('/proc/sys/vm/swappiness')).toBe('10\n');
    expect(outcome(() => open(task, '/proc/sys/kernel/osrelease', O_WRONLY))).not.toBe('EROFS');
  });
  it('uuid is new each time, boot_id is not', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$/;
    expect(read('/proc/sys/kernel/random/uuid')).toMatch(uuid);
    expect(read('/proc/sys/kernel/random/boot_id')).toBe(read('/proc/sys/kernel/random/boot_id'));
  });
});

describe('devtmpfs', () => {
  it('has the nodes with their numbers and modes', () => {
    const node = (name: string) => {
      const { mode, rdevMajor, rdevMinor } = resolve(task, AT_FDCWD, `/dev/${name}`, 0).dentry.inode!;
      return [mode.toString(8), rdevMajor, rdevMinor];
    };
    expect(node('null')).toEqual(['20666', 1, 3]);
    expect(node('kmsg')).toEqual(['20644', 1, 11]);
    expect(node('console')).toEqual(['20600', 5, 1]);
    expect(node('ptmx')).toEqual(['20666', 5, 2]);
    expect(node('shm')).toEqual(['41777', 0, 0]);
    expect(link('/dev/stdin')).toBe('/proc/self/fd/0');
    expect(read('/proc/mounts')).toMatch(/^devtmpfs \/dev devtmpfs rw,relatime.*mode=755/m);
  });
  it('null, zero, full and random do what they are for', () => {
    const device = (name: string) => open(task, `/dev/${name}`, O_RDWR);
    expect(readBytes(task, device('null'), 10)).toHaveLength(0);
    expect(writeBytes(task, device('null'), 'abc')).toBe(3);
    expect([...readBytes(task, device('zero'), 3)]).toEqual([0, 0, 0]);
    expect(outcome(() => writeBytes(task, device('full'), 'abc'))).toBe('ENOSPC');
    expect([...readBytes(task, device('urandom'), 3)]).toEqual([0xa5, 0xa5, 0xa5]);
    expect(writeBytes(task, device('random'), 'abc')).toBe(3);
    expect(device('zero').seek(task, 5, O_RDONLY)).toBe(0);
    expect(device('null').queue).toBeNull();
  });
  it('kmsg keeps what is written', () => {
    const file = open(task, '/dev/kmsg', O_RDWR);
    writeBytes(task, file, '<3>hello\n');
    expect(readBytes(task, file, 100).toString()).toMatch(/^11,0,\d+,-;hello\n$/);
    close(file);
  });
});

describe('sysfs', () => {
  it('says how many CPUs there are, and every entry can be looked at', () => {
    mkdir(task, AT_FDCWD, '/sys', 0o555);
    test.kernel.vfs.registerType(sysfsType);
    mountAt(task, 'sysfs', 'sysfs', '/sys');
    expect(read('/sys/devices/system/cpu/online')).toBe('0-1\n');
    expect(read('/sys/class/mem/null/dev')).toBe('1:3\n');
    expect(link('/sys/dev/char/5:0')).toBe('../../devices/virtual/tty/tty');
    expect(link('/sys/class/net/lo')).toBe('../../devices/virtual/net/lo');
    expect(read('/sys/class/net/lo/mtu')).toBe('65536\n');
    expect(read('/sys/class/net/lo/statistics/rx_bytes')).toBe('0\n');
    expect(outcome(() => read('/sys/class/net/lo/speed'))).toBe('EINVAL');
    expect(list('/sys')).toContain('kernel');
    expect(read('/proc/mounts')).toContain('sysfs /sys sysfs rw,relatime 0 0\n');
  });
});
