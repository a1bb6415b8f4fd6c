/**
 * A supervisor process for the life-cycle suite: drives the addon directly and ends in the way its argument says.
 *
 *   node supervisor.mjs LEVITATE.NODE STUB MODE    MODE: hang | exit | throw | worker | terminate | raw GUARD
 * Prints "ready PID..." (the guests' pids) when its guests run.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';

const [addonPath, stub, mode, guard] = isMainThread ? process.argv.slice(2) : workerData;
const addon = createRequire(import.meta.url)(addonPath);

const RESUME_COUNT = 8;
const RESUME_QUEUE = 16;
const TIMEOUT_US = 7;

/** A platform with `count` spinning guests; returns their pids. */
function start(count) {
  const c = addon.createContext(stub, 1 << 20, true, 1);
  if (c.error !== 0) throw new Error(`${c.step} ${c.error}`);
  const control = new Int32Array(c.control);
  const regs = new BigUint64Array(c.registers);
  const batch = new BigUint64Array(c.batchPage);
  const pids = [];
  for (let i = 0; i < count; i++) {
    const slot = c.createAddressSpace();
    pids.push(control[11]);
    const space = control[1];
    batch.set([9n, 0x10000n, 0x1000n, 7n, 0x32n, 0xffffffffffffffffn, 0n]);
    if (c.batch(slot, 1) !== 0) throw new Error('batch');
    c.write(space, 0x10000, Uint8Array.from([0xeb, 0xfe]), 0, 2);
    regs[slot * 40 + 16] = 0x10000n;
    control[RESUME_QUEUE + i] = slot;
  }
  control[RESUME_COUNT] = count;
  control[TIMEOUT_US] = 0;
  c.wait();
  return { c, control, pids };
}

function hang({ c, control }) {
  for (;;) {
    control[TIMEOUT_US] = -1;
    c.wait();
  }
}

function say(pids) {
  writeSync(1, `ready ${pids.join(' ')}\n`);
}

if (mode === 'raw') {
  const io = addon.createHostIo();
  writeSync(1, `ready ${io.makeRaw(0, guard)}\n`);
  setInterval(() => {}, 1000);
} else if (!isMainThread) {
  const running = start(3);
  parentPort.postMessage(running.pids);
  if (mode === 'terminate') hang(running);
} else if (mode === 'worker' || mode === 'terminate') {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: process.argv.slice(2) });
  worker.on('message', (pids) => {
    if (mode === 'terminate') setTimeout(() => void worker.terminate(), 50);
    worker.on('exit', () => {
      say(pids);
      setInterval(() => {}, 1000); // stays: the guests must be gone although the process lives
    });
  });
} else {
  const running = start(4);
  say(running.pids);
  if (mode === 'hang') hang(running);
  if (mode === 'exit') process.exit(3);
  if (mode === 'throw') throw new Error('bug');
  // mode 'return': just ends
}
