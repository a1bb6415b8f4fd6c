/** futex: wait and wake, private and shared, timeouts, bitsets, requeue, wake-op, robust lists; what pi operations answer. */
import {
  CLOCK_MONOTONIC,
  EAGAIN,
  EDEADLK,
  EFAULT,
  EINTR,
  EINVAL,
  ENOSYS,
  EPERM,
  ESRCH,
  ETIMEDOUT,
  FREE_BASE,
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_CLOCK_REALTIME,
  FUTEX_CMP_REQUEUE,
  FUTEX_FD,
  FUTEX_LOCK_PI,
  FUTEX_OP_ADD,
  FUTEX_OP_CMP_EQ,
  FUTEX_OP_CMP_GT,
  FUTEX_OP_SET,
  FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE,
  FUTEX_TRYLOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FUTEX_WAKE_OP,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_SHARED,
  Mem,
  O_CREAT,
  O_RDWR,
  PAGE,
  PROT_READ,
  PROT_WRITE,
  SA_RESTART,
  SIGUSR1,
  WILD,
  load64,
  loadAt,
  syscallTest,
  type Call,
  type S,
} from '../support/index.js';

const P = FUTEX_PRIVATE_FLAG;

syscallTest('a wait with another value is EAGAIN, a wake of nobody 0', (s) => {
  const f = s.word(5);
  for (const op of [FUTEX_WAIT, FUTEX_WAIT | P]) s.futex(f, op, 4, null).fails(EAGAIN);
  for (const op of [FUTEX_WAKE, FUTEX_WAKE | P]) s.futex(f, op, 1).returns(0);
});

syscallTest('timeouts are waited for', (s) => {
  const f = s.word(0);
  s.futex(f, FUTEX_WAIT, 0, s.ms(15)).fails(ETIMEDOUT).takes(15);
  s.futex(f, FUTEX_WAIT | P, 0, s.ms(8))
    .fails(ETIMEDOUT)
    .takes(8);
  s.futex(f, FUTEX_WAIT, 0, s.timespec(0, 1e9)).fails(EINVAL);
  s.futex(f, FUTEX_WAIT, 0, s.timespec(-1)).fails(EINVAL);
  s.futex(f, FUTEX_WAIT, 0, WILD).fails(EFAULT);
});

syscallTest('errors', (s) => {
  const f = s.word(0);
  s.futex(f.plus(1), FUTEX_WAIT, 0, null).fails(EINVAL);
  s.futex(f.plus(2), FUTEX_WAKE, 1).fails(EINVAL);
  s.futex(WILD, FUTEX_WAIT, 0, null).fails(EFAULT);
  s.futex(FREE_BASE, FUTEX_WAIT | P, 0, null).fails(EFAULT);
  s.futex(FREE_BASE, FUTEX_WAKE, 1).fails(EFAULT);
  s.futex(FREE_BASE, FUTEX_WAKE | P, 1).returns(0); // a private key needs no page
  s.futex(f, 99, 0, null).fails(ENOSYS);
  s.futex(f, FUTEX_WAIT_BITSET, 0, null, null, 0).fails(EINVAL);
  s.futex(f, FUTEX_WAKE_BITSET, 1, null, null, 0).fails(EINVAL);
  s.futex(f, FUTEX_FD, 0, null).fails(ENOSYS);
  s.futex(f, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1).fails(ENOSYS);
});

/** A thread that waits; `done` counts those that came back. */
const waiter = (s: S, wait: (t: S) => unknown): Call => {
  const done = s.word(0);
  const thread = s.thread((t) => {
    wait(t);
    t.store(done, 4, 1);
  });
  s.waitBlocked(thread);
  Object.assign(thread, { done });
  return thread;
};
const doneOf = (thread: Call): Mem => (thread as Call & { done: Mem }).done;

syscallTest('wake: threads of one process, private and not', (s) => {
  for (const flag of [0, P]) {
    const f = s.word(0);
    const a = waiter(s, (t) => t.futex(f, FUTEX_WAIT | flag, 0, null).returns(0));
    const b = waiter(s, (t) => t.futex(f, FUTEX_WAIT | flag, 0, null).returns(0));
    s.futex(f, FUTEX_WAKE | flag, 1).returns(1);
    s.waitWord(doneOf(a), 1); // the first to come is the first to go
    s.futex(f, FUTEX_WAKE | flag, 10).returns(1);
    s.waitWord(doneOf(b), 1);
  }
});

syscallTest('private and shared keys are different', (s) => {
  const f = s.word(0);
  const a = waiter(s, (t) => t.futex(f, FUTEX_WAIT | P, 0, null).returns(0));
  s.futex(f, FUTEX_WAKE, 1).returns(0);
  s.futex(f, FUTEX_WAKE | P, 1).returns(1);
  s.waitWord(doneOf(a), 1);
});

syscallTest('a futex at the same address of another process is another one', (s) => {
  const f = s.word(0);
  const child = s.fork((c) => {
    c.futex(f, FUTEX_WAIT | P, 0, c.ms(20)).fails(ETIMEDOUT);
  });
  s.waitBlocked(child);
  s.futex(f, FUTEX_WAKE | P, 1).returns(0);
  s.futex(f, FUTEX_WAKE, 1).returns(0); // private memory after fork
  s.wait(child).exited(0);
});

syscallTest('a futex in shared memory is the same in both processes', (s) => {
  s.mmap(FREE_BASE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  const child = s.fork((c) => {
    c.futex(FREE_BASE, FUTEX_WAIT, 0, null).returns(0);
  });
  s.waitBlocked(child);
  s.futex(FREE_BASE, FUTEX_WAKE | P, 1).returns(0);
  s.futex(FREE_BASE, FUTEX_WAKE, 1).returns(1);
  s.wait(child).exited(0);
});

syscallTest('a futex in a shared file is found through any mapping of it', (s) => {
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  s.ftruncate(fd, PAGE).returns(0);
  s.mmap(FREE_BASE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0).returns(FREE_BASE);
  const child = s.fork((c) => {
    c.mmap(FREE_BASE + 0x10000, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0).returns(
      FREE_BASE + 0x10000,
    );
    c.futex(FREE_BASE + 0x10000 + 8, FUTEX_WAIT, 0, null).returns(0);
  });
  s.waitBlocked(child);
  s.futex(FREE_BASE + 8, FUTEX_WAKE, 1).returns(1);
  s.wait(child).exited(0);
});

syscallTest('bitsets', (s) => {
  const f = s.word(0);
  const a = waiter(s, (t) => t.futex(f, FUTEX_WAIT_BITSET | P, 0, null, null, 1).returns(0));
  const b = waiter(s, (t) => t.futex(f, FUTEX_WAIT_BITSET | P, 0, null, null, 2).returns(0));
  s.futex(f, FUTEX_WAKE_BITSET | P, 10, null, null, 4).returns(0);
  s.futex(f, FUTEX_WAKE_BITSET | P, 10, null, null, 2).returns(1);
  s.waitWord(doneOf(b), 1);
  s.futex(f, FUTEX_WAKE | P, 10).returns(1); // a plain wake matches any
  s.waitWord(doneOf(a), 1);
});

syscallTest('FUTEX_WAIT_BITSET takes an absolute time, of one of two clocks', (s) => {
  const f = s.word(0);
  const past = s.timespec(1);
  s.futex(f, FUTEX_WAIT_BITSET | P, 0, past, null, FUTEX_BITSET_MATCH_ANY)
    .fails(ETIMEDOUT)
    .takes(0, 1000);
  s.futex(f, FUTEX_WAIT_BITSET | P | FUTEX_CLOCK_REALTIME, 0, past, null, -1)
    .fails(ETIMEDOUT)
    .takes(0, 1000);
  const soon = s.timespec(0).ignore();
  s.clock_gettime(CLOCK_MONOTONIC, soon).returns(0);
  // The nanoseconds are small enough to add 10 ms in most seconds; in the others the call returns at once or with EINVAL.
  s.store(soon.plus(8), 8, load64(soon, 8).plus(5_000_000));
  s.futex(f, FUTEX_WAIT_BITSET | P, 0, soon, null, -1).failsWith(ETIMEDOUT, EINVAL);
});

syscallTest('requeue', (s) => {
  const [f, g] = [s.word(0), s.word(0)];
  const waiters = [1, 2, 3].map(() => waiter(s, (t) => t.futex(f, FUTEX_WAIT | P, 0, null).returns(0)));
  s.futex(f, FUTEX_CMP_REQUEUE | P, 1, 1, g, 7).fails(EAGAIN); // the value is 0
  s.futex(f, FUTEX_CMP_REQUEUE | P, 1, 10, g, 0).returns(3); // one woken, two moved
  s.waitWord(doneOf(waiters[0]), 1);
  s.futex(f, FUTEX_WAKE | P, 10).returns(0);
  s.futex(g, FUTEX_WAKE | P, 10).returns(2);
  for (const w of waiters) s.waitWord(doneOf(w), 1);
  const last = waiter(s, (t) => t.futex(f, FUTEX_WAIT | P, 0, null).returns(0));
  s.futex(f, FUTEX_REQUEUE | P, 0, 1, g).oneOf(0, 1); // counts the woken ones only
  s.futex(g, FUTEX_WAKE | P, 1).returns(1);
  s.waitWord(doneOf(last), 1);
});

syscallTest('FUTEX_WAKE_OP', (s) => {
  const [f, g] = [s.word(0), s.word(5)];
  const a = waiter(s, (t) => t.futex(f, FUTEX_WAIT | P, 0, null).returns(0));
  const b = waiter(s, (t) => t.futex(g, FUTEX_WAIT | P, 5, null).returns(0));
  // *g += 2, and wake g's waiters if it was 5
  const op = (FUTEX_OP_ADD << 28) | (FUTEX_OP_CMP_EQ << 24) | (2 << 12) | 5;
  s.futex(f, FUTEX_WAKE_OP | P, 1, 1, g, op).returns(2);
  g.u32(0, 7);
  s.waitWord(doneOf(a), 1);
  s.waitWord(doneOf(b), 1);
  s.futex(f, FUTEX_WAKE_OP | P, 1, 1, g, (FUTEX_OP_SET << 28) | (FUTEX_OP_CMP_GT << 24) | (9 << 12) | 100).returns(0);
  g.u32(0, 9);
});

syscallTest('a signal interrupts a wait; with SA_RESTART it goes on', (s) => {
  const f = s.word(0);
  const child = s.fork((c) => {
    c.onSignal(SIGUSR1);
    c.sees(SIGUSR1);
    c.futex(f, FUTEX_WAIT, 0, null).fails(EINTR);
  });
  s.waitBlocked(child);
  s.kill(child, SIGUSR1).returns(0);
  s.wait(child).exited(0);
});

syscallTest('a timed wait is not restarted after a handler, even with SA_RESTART', (s) => {
  const f = s.word(0);
  const child = s.fork((c) => {
    c.onSignal(SIGUSR1, undefined, { flags: SA_RESTART });
    c.sees(SIGUSR1);
    c.futex(f, FUTEX_WAIT, 0, c.timespec(5)).fails(EINTR);
  });
  s.waitBlocked(child);
  s.kill(child, SIGUSR1).returns(0);
  s.wait(child).exited(0);
});

syscallTest(
  'pi futexes: lock, trylock, unlock without contention',
  (s) => {
    const f = s.word(0);
    const me = s.gettid().pid();
    s.futex(f, FUTEX_LOCK_PI | P, 0, null).returns(0);
    f.relate(0, 4, 'pid');
    s.check('holds the id', (v) => v.u32(f) === v.value(me) || String(v.u32(f)));
    s.futex(f, FUTEX_LOCK_PI | P, 0, null).fails(EDEADLK);
    s.futex(f, FUTEX_TRYLOCK_PI | P, 0, null).fails(EDEADLK);
    s.futex(f, FUTEX_UNLOCK_PI | P, 0, null).returns(0);
    f.u32(0, 0);
    s.futex(f, FUTEX_UNLOCK_PI | P, 0, null).fails(EPERM);
    s.store(f, 4, 0x3fffff);
    s.futex(f, FUTEX_LOCK_PI | P, 0, null).fails(ESRCH); // no such owner
  },
  { lacks: 'priority inheritance' },
);

syscallTest('robust list: a futex whose owner dies is marked', (s) => {
  s.mmap(FREE_BASE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  // list entry at +0x100, futex word 8 bytes behind it; head: next, offset, pending
  const entry = FREE_BASE + 0x100;
  const child = s.fork((c) => {
    const head = c.pack('u64', entry, 'u64', 8, 'u64', 0);
    c.store(entry, 8, head);
    c.store(entry + 8, 4, c.gettid().pid());
    c.set_robust_list(head, 24).returns(0);
  });
  s.wait(child).exited(0);
  s.peek(entry + 8, Buffer.from([0, 0, 0, 0x40])); // FUTEX_OWNER_DIED
});

syscallTest('robust list: waiters wake, other owners stay', (s) => {
  s.mmap(FREE_BASE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  const entry = FREE_BASE + 0x100;
  const p = s.pipe();
  const q = s.pipe();
  s.store(entry + 8, 4, -1);
  const child = s.fork((c) => {
    const head = c.pack('u64', entry, 'u64', 8, 'u64', 0);
    c.store(entry, 8, head);
    c.store(entry + 8, 4, c.gettid().pid().plus(-0x8000_0000)); // with FUTEX_WAITERS
    c.set_robust_list(head, 24).returns(0);
    c.write(p.w, 'x');
    c.reads(q.r, 'y', 1);
    c.sleep(5);
  });
  s.reads(p.r, 'x', 1);
  s.write(q.w, 'y');
  s.futex(entry + 8, FUTEX_WAIT, loadAt(entry + 8), s.timespec(5)).oneOf(0, -EAGAIN);
  s.wait(child).exited(0);
  s.peek(entry + 8, Buffer.from([0, 0, 0, 0xc0]));
});

syscallTest('set_robust_list and get_robust_list', (s) => {
  const head = s.pack('u64', 0, 'u64', 0, 'u64', 0);
  s.set_robust_list(head, 23).fails(EINVAL);
  s.set_robust_list(head, 24).returns(0);
  const out = s.pack('u64', 0, 'u64', 0);
  s.get_robust_list(0, out, out.plus(8)).returns(0);
  out.u64(0, head.address).u64(8, 24);
  s.get_robust_list(0x3ffff, out, out.plus(8)).fails(ESRCH);
  s.get_robust_list(0, WILD, out.plus(8)).fails(EFAULT);
});

syscallTest(
  'futex_waitv',
  (s) => {
    const f = s.word(1);
    // struct futex_waitv: val, uaddr, flags, reserved
    const v = s.pack('u64', 0, 'ptr', f, 'u32', 2, 'u32', 0);
    s.futex_waitv(v, 1, 0, null, 0).fails(EAGAIN);
    s.futex_waitv(v, 0, 0, null, 0).fails(EINVAL);
    s.futex_waitv(v, 129, 0, null, 0).fails(EINVAL);
    s.futex_waitv(v, 1, 1, null, 0).fails(EINVAL);
  },
  { lacks: 'waiting for several futexes' },
);
