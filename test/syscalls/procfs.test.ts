/** Files of /proc/PID: what they show, what can be written to them, and how they can be copied from. */
import { readFileSync } from 'node:fs';
import {
  AT_FDCWD,
  EACCES,
  EINVAL,
  EPERM,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  SEEK_SET,
  syscallTest,
  type S,
} from '../support/index.js';

/** A write of its own descriptor: one value. */
function writes(s: S, path: string, value: string): ReturnType<S['write']> {
  const fd = s.open(path, O_WRONLY);
  const result = s.write(fd, value);
  s.close(fd);
  return result;
}
function shows(s: S, path: string, value: string): void {
  const fd = s.open(path, O_RDONLY);
  s.reads(fd, value, 200);
  s.close(fd);
}

syscallTest('coredump_filter', (s) => {
  shows(s, '/proc/self/coredump_filter', '00000033\n');
  writes(s, '/proc/self/coredump_filter', '0x10\n').returns(5);
  shows(s, '/proc/self/coredump_filter', '00000010\n');
  writes(s, '/proc/self/coredump_filter', '0x3ff').returns(5);
  writes(s, '/proc/self/coredump_filter', 'zz').fails(EINVAL);
  const child = s.fork((c) => shows(c, '/proc/self/coredump_filter', '000001ff\n'));
  s.wait(child).exited(0);
});

syscallTest('clear_refs is written only', (s) => {
  for (const value of ['1', '2\n', '3', '4', '5']) writes(s, '/proc/self/clear_refs', value).returns(value.length);
  for (const value of ['0', '6', 'x']) writes(s, '/proc/self/clear_refs', value).fails(EINVAL);
  s.read(s.open('/proc/self/clear_refs', O_RDONLY), s.buffer(8), 8).fails(EINVAL);
});

const withModule = ((): boolean => {
  try {
    return readFileSync('/proc/self/attr/current').length > 0;
  } catch {
    return false;
  }
})();
// With one on the host there is nothing to compare with.
if (!withModule)
  syscallTest('without a security module attr/* says EINVAL', (s) => {
    for (const name of ['current', 'exec', 'fscreate', 'keycreate', 'sockcreate']) {
      s.read(s.open(`/proc/self/attr/${name}`, O_RDONLY), s.buffer(8), 8).fails(EINVAL);
      writes(s, `/proc/self/attr/${name}`, 'x').fails(EINVAL);
    }
    s.read(s.open('/proc/self/attr/prev', O_RDONLY), s.buffer(8), 8).fails(EINVAL);
  });

syscallTest('namespaces: offsets and maps', (s) => {
  shows(s, '/proc/self/timens_offsets', 'monotonic           0         0\nboottime            0         0\n');
  writes(s, '/proc/self/timens_offsets', 'monotonic 1 1').fails(EACCES);
  writes(s, '/proc/self/projid_map', '0 0 1').fails(EPERM);
});

syscallTest('pagemap: whole entries', (s) => {
  const fd = s.open('/proc/self/pagemap', O_RDONLY);
  s.read(fd, s.buffer(8), 7).fails(EINVAL);
  s.call('pread64', fd, s.buffer(8).ignore(), 8, 4).fails(EINVAL);
  const entry = s.buffer(16);
  s.call('pread64', fd, entry, 16, 0).returns(16);
  entry.all(0);
});

syscallTest('map_files', (s) => {
  const dir = s.openat(AT_FDCWD, '/proc/self/map_files', O_RDONLY | O_DIRECTORY).fd();
  s.call('getdents64', dir, s.buffer(32768).ignore(), 32768).between(80, 32768);
});

syscallTest('timers', (s) => {
  shows(s, '/proc/self/timers', '');
  const id = s.word();
  s.call(
    'timer_create',
    1,
    s.pack('u64', 0x1234, 'u32', 10, 'u32', 0, 'u64', 0, 'u64', 0, 'u64', 0, 'u64', 0, 'u64', 0),
    id,
  ).returns(0);
  const text = s.buffer(200).ignore();
  s.read(s.open('/proc/self/timers', O_RDONLY), text, 200).between(60, 90);
  text.is('ID: 0\nsignal: 10/0000000000001234\nnotify: signal/pid.');
  s.call('timer_delete', 0).returns(0);
  shows(s, '/proc/self/timers', '');
});

syscallTest('sendfile and splice take few files of /proc/PID', (s) => {
  const to = s.open('out', O_CREAT | O_RDWR, 0o600);
  const p = s.pipe();
  const refused = [
    'maps',
    'status',
    'stat',
    'cmdline',
    'environ',
    'limits',
    'comm',
    'io',
    'cgroup',
    'fdinfo/0',
    'net/dev',
    'pagemap',
    'mem',
  ];
  for (const name of refused) {
    const from = s.open(`/proc/self/${name}`, O_RDONLY);
    s.sendfile(to, from, null, 50).fails(EINVAL);
    s.sendfile(to, from, null, 0).returns(0);
    s.call('splice', from, null, p.w, null, 50, 0).fails(EINVAL);
    s.close(from);
  }
  for (const path of [
    '/proc/self/mountinfo',
    '/proc/self/mounts',
    '/proc/cpuinfo',
    '/proc/uptime',
    '/proc/sys/kernel/ostype',
  ]) {
    const from = s.open(path, O_RDONLY);
    s.sendfile(to, from, null, 3).returns(3);
    s.close(from);
  }
  for (const path of ['/proc/swaps', '/proc/sysvipc/shm'])
    s.sendfile(to, s.open(path, O_RDONLY), null, 3).fails(EINVAL);
  s.lseek(to, 0, SEEK_SET).returns(0);
});

syscallTest('sendfile from devices', (s) => {
  const to = s.open('out', O_CREAT | O_RDWR, 0o600);
  s.sendfile(to, s.open('/dev/null', O_RDONLY), null, 5).fails(EINVAL);
  s.sendfile(to, s.open('/dev/zero', O_RDONLY), null, 5).returns(5);
});
