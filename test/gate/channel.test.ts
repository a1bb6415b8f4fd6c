/** CallChannel against plain memory: what a call reads of what was sent along and of its own answers, before they are delivered. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CallChannel } from '../../src/platform/ptrace/channel.js';
import { Channels } from '../../src/platform/ptrace/channels.js';
import * as L from '../../src/platform/ptrace/layout.js';
import type { PtraceSpace } from '../../src/platform/ptrace/space.js';
import type { PtraceThread } from '../../src/platform/ptrace/thread.js';
import type { NativeContext } from '../../src/platform/native.js';

const CHANNEL = 0x2000;
const DATA = 0x200;
/** The guest's memory: what was sent along lies in the middle of it. */
const MEMORY = 0x7fff_1234_5000;
const SIZE = 96;
const SENT_AT = 32;
const SENT = 32;

interface Step {
  readonly kind: 'give' | 'take' | 'deliver';
  readonly at: number;
  readonly length: number;
  readonly fill: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('give', 'give', 'take', 'take', 'take', 'deliver'),
  at: fc.nat(SIZE - 1),
  length: fc.integer({ min: 1, max: 40 }),
  fill: fc.integer({ min: 1, max: 255 }),
});

function open(memory: Uint8Array): CallChannel {
  const channels = new ArrayBuffer(2 * CHANNEL);
  new Uint8Array(channels).set(memory.subarray(SENT_AT, SENT_AT + SENT), CHANNEL + DATA);
  const control = new Int32Array(256);
  const addr = MEMORY + SENT_AT;
  control[L.IN_LENGTH] = SENT;
  control[L.IN_ADDR_LO] = addr | 0;
  control[L.IN_ADDR_HI] = Math.floor(addr / 2 ** 32);
  const native = { viewChannels: () => channels, channelBytes: CHANNEL };
  const channel = new CallChannel(new Channels(native as unknown as NativeContext), control);
  const space = {
    writeNow(to: number, from: Uint8Array, offset: number, length: number) {
      memory.set(from.subarray(offset, offset + length), to - MEMORY);
      return length;
    },
  };
  channel.open({ space: space as unknown as PtraceSpace, slot: 0 } as unknown as PtraceThread, 1);
  return channel;
}

test('what is taken is what memory holds once all is delivered', () => {
  let answered = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const memory = Uint8Array.from({ length: SIZE + 40 }, (_, i) => i);
      const model = memory.slice();
      const channel = open(memory);
      let delivered = false;
      for (const { kind, at, length, fill } of steps) {
        if (kind === 'deliver') {
          delivered ||= channel.count > 0;
          channel.deliver();
        } else if (kind === 'give') {
          const bytes = Uint8Array.from({ length }, (_, i) => fill + i);
          if (channel.give(MEMORY + at, bytes, 0, length)) model.set(bytes, at);
        } else {
          const to = new Uint8Array(length + 2).fill(0xee);
          const sent = at >= SENT_AT && at + length <= SENT_AT + SENT;
          const taken = channel.take(MEMORY + at, to, 1, length);
          if (sent && !delivered) expect(taken).toBe(true);
          expect([to[0], to[length + 1]]).toEqual([0xee, 0xee]);
          if (!taken) continue;
          answered++;
          expect([...to.subarray(1, length + 1)]).toEqual([...model.subarray(at, at + length)]);
        }
      }
      channel.deliver();
      expect([...memory]).toEqual([...model]);
    }),
    { numRuns: 3000 },
  );
  expect(answered).toBeGreaterThan(300);
});

test('lengths and addresses that the guest has written over an answer stay within the channel', () => {
  const memory = Uint8Array.from({ length: SIZE + 40 }, (_, i) => i);
  const channel = open(memory);
  channel.give(MEMORY, Uint8Array.of(1, 2, 3, 4), 0, 4);
  const words = new Uint32Array((channel as unknown as { words: Uint32Array }).words.buffer);
  const record = (CHANNEL + 0x100) / 4;
  words[record + 2] = 0xffff_ffff;
  const to = new Uint8Array(8).fill(0xee);
  expect(channel.take(MEMORY, to, 0, 8)).toBe(false);
  expect(channel.take(MEMORY, to, 0, 4)).toBe(true);
  words[record + 1] = 0xffff_ffff;
  expect(channel.take(MEMORY, to, 0, 4)).toBe(false);
});
