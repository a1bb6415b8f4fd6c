/**
 * Random termios, random input in random chunks, reads, writes, flushes and flow control: our line discipline must echo,
 * signal and return exactly what the host's pty does.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HostPty, ModelPty, hex, setTermios } from './host-pty.js';
import * as t from '../../src/tty/termios.js';

const IFLAGS = [t.IGNBRK, t.BRKINT, t.IGNPAR, t.PARMRK, t.INPCK, t.ISTRIP, t.INLCR, t.IGNCR, t.ICRNL, t.IUCLC, t.IXON];
IFLAGS.push(t.IXANY, t.IXOFF, t.IMAXBEL, t.IUTF8);
const OFLAGS = [t.OPOST, t.OLCUC, t.ONLCR, t.OCRNL, t.ONOCR, t.ONLRET, t.OFILL, t.XTABS, t.TAB1];
const LFLAGS = [
  t.ISIG,
  t.ICANON,
  t.XCASE,
  t.ECHO,
  t.ECHOE,
  t.ECHOK,
  t.ECHONL,
  t.NOFLSH,
  t.ECHOCTL,
  t.ECHOPRT,
  t.ECHOKE,
];
LFLAGS.push(t.IEXTEN, t.PENDIN, t.FLUSHO);

/** Mostly the usual bits with a few flipped, sometimes anything. */
const flags = (usual: number, all: number[]): fc.Arbitrary<number> => {
  const any = fc.subarray(all).map((bits) => bits.reduce((a, b) => a | b, 0));
  const few = fc.subarray(all, { maxLength: 3 }).map((bits) => bits.reduce((a, b) => a ^ b, usual));
  return fc.oneof({ weight: 2, arbitrary: few }, { weight: 1, arbitrary: any });
};

const byte = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Buffer.from('abcABC z_-.9')) },
  { weight: 5, arbitrary: fc.constantFrom(1, 3, 4, 8, 9, 10, 13, 15, 17, 18, 19, 21, 22, 23, 26, 28, 127) },
  { weight: 1, arbitrary: fc.constantFrom(0, 0x80, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xff, 0xd7, 0xf7, 0xdf, 0x81) },
  { weight: 1, arbitrary: fc.nat(255) },
);
const character = fc.oneof(
  { weight: 9, arbitrary: byte.map((b) => [b]) },
  { weight: 1, arbitrary: fc.constantFrom('é', '€', '𝄞', 'ä').map((s) => [...Buffer.from(s)]) },
);
const chunk = fc.oneof(
  { weight: 12, arbitrary: fc.array(character, { minLength: 1, maxLength: 24 }).map((list) => list.flat()) },
  {
    weight: 1,
    arbitrary: fc.array(character, { minLength: 100, maxLength: 600, size: 'max' }).map((list) => list.flat()),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(97, 9, 1), fc.integer({ min: 300, max: 1800 }))
      .map(([c, n]) => new Array<number>(n).fill(c)),
  },
);

const cc = fc
  .array(fc.tuple(fc.nat(18), fc.oneof(fc.constantFrom(0, 97, 10, 13, 4, 9, 255), fc.nat(255))), { maxLength: 2 })
  .map((changes) => {
    const chars = new t.Termios().cc;
    for (const [at, value] of changes) if (at !== t.VTIME && at !== t.VMIN) chars[at] = value;
    return chars;
  });
const termios = fc
  .record({
    how: fc.constantFrom(0, 0, 0, 1, 2),
    iflag: flags(t.ICRNL | t.IXON, IFLAGS),
    oflag: flags(t.OPOST | t.ONLCR, OFLAGS),
    lflag: flags(new t.Termios().lflag, LFLAGS),
    cc,
    vmin: fc.constantFrom(1, 1, 1, 0, 5, 100),
  })
  .map(({ how, vmin, ...rest }) =>
    setTermios(how, (target) => {
      Object.assign(target, rest);
      target.cc[t.VMIN] = vmin;
    }),
  );

const command = fc.oneof(
  { weight: 10, arbitrary: chunk.map((bytes) => `I ${hex(Uint8Array.from(bytes))}`) },
  { weight: 4, arbitrary: fc.constantFrom(1, 2, 5, 63, 64, 65, 100, 4096, 5000).map((n) => `R ${n}`) },
  { weight: 3, arbitrary: chunk.map((bytes) => `W ${hex(Uint8Array.from(bytes))}`) },
  { weight: 2, arbitrary: termios },
  { weight: 1, arbitrary: fc.constantFrom('Q', 'P', 'G') },
  { weight: 1, arbitrary: fc.constantFrom('F 0', 'F 1', 'F 2', 'F 3', 'X 0', 'X 1', 'X 1', 'X 2', 'X 3', 'X 4') },
);
const session = fc
  .tuple(termios, fc.array(command, { minLength: 2, maxLength: 14 }))
  .map(([first, rest]) => ['N', first, ...rest, 'X 1', 'P', 'Q', 'R 5000', 'R 5000', 'R 5000']);

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}... (${text.length})` : text);

let host: HostPty;
beforeAll(() => {
  host = new HostPty();
});
afterAll(() => host.close());

const runs = Number(process.env['LEVITATE_PTY_RUNS'] ?? 300);

test('as the host, for any termios and input', async () => {
  const property = fc.asyncProperty(session, async (commands) => {
    const model = new ModelPty();
    const mine = model.run(commands);
    // Whether the host's master has got what a signal then throws away is a race of its workers.
    fc.pre(!model.discarded);
    // More than the host's pty holds between two reads: another story.
    fc.pre(mine.every((answer) => answer.length < 2 * 4000) && model.mostHeld < 2000);
    const compare = (theirs: string[]): string[] =>
      commands.flatMap((c, i) =>
        theirs[i] === mine[i] ? [] : [`${cut(c)}: host ${cut(theirs[i])}, ours ${cut(mine[i])}`],
      );
    let differences = compare(await host.run(commands));
    // The host's worker is asynchronous: a difference counts when it stays with more patience.
    for (const patience of [5000, 50000, 500000]) {
      if (differences.length === 0) break;
      differences = compare((await host.run([`D ${patience}`, ...commands, 'D 500'])).slice(1));
    }
    expect(differences).toEqual([]);
  });
  // Shrinking waits out the host's worker at every step: minutes.
  await fc.assert(property, { numRuns: runs, endOnFailure: process.env['LEVITATE_PTY_SHRINK'] === undefined });
}, 600_000);
