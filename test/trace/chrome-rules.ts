/** The rules of Chrome's trace event format that a viewer needs kept, as a check of a whole file. */
import { expect } from '@jest/globals';

export interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly cat: string;
  readonly id: number;
  readonly bp?: string;
  readonly s?: string;
  readonly args: Readonly<Record<string, string | number>>;
}

/** Nanoseconds: what is written as a decimal fraction is not exact as a number. */
const ns = (us: number): number => Math.round(us * 1000);

/** The events of a file; fails where it breaks a rule. */
export function checkedEvents(json: string): TraceEvent[] {
  const events = JSON.parse(json) as TraceEvent[];
  const tracks = new Map<string, TraceEvent[]>();
  const processes = new Map<number, number>();
  const flows = new Map<number, TraceEvent>();
  for (const event of events) {
    expect(['X', 'M', 'i', 's', 'f']).toContain(event.ph);
    expect([typeof event.name, typeof event.pid, typeof event.tid]).toEqual(['string', 'number', 'number']);
    // A thread is of one process.
    if (!processes.has(event.tid)) processes.set(event.tid, event.pid);
    expect(processes.get(event.tid)).toBe(event.pid);
    if (event.ph === 'M') {
      expect(['process_name', 'thread_name']).toContain(event.name);
      expect(typeof event.args['name']).toBe('string');
      continue;
    }
    expect(event.ts).toBeGreaterThanOrEqual(0);
    if (event.ph === 's') {
      expect(flows.has(event.id)).toBe(false);
      flows.set(event.id, event);
    } else if (event.ph === 'f') {
      expect(event.bp).toBe('e');
      expect(flows.get(event.id)!.ts).toBeLessThanOrEqual(event.ts);
      flows.delete(event.id);
    } else {
      const key = `${event.pid} ${event.tid}`;
      tracks.set(key, [...(tracks.get(key) ?? []), event]);
    }
  }
  expect([...flows.keys()]).toEqual([]);
  for (const track of tracks.values()) checkTrack(track);
  for (const event of events) if (event.ph === 's' || event.ph === 'f') checkArrow(event, tracks);
  return events;
}

/** Times in order; slices apart, or one inside the other. */
function checkTrack(events: readonly TraceEvent[]): void {
  const ends: number[] = [];
  let last = 0;
  for (const event of events) {
    const from = ns(event.ts);
    expect(from).toBeGreaterThanOrEqual(last);
    last = from;
    if (event.ph === 'i') {
      expect(event.s).toBe('t');
      continue;
    }
    const until = from + ns(event.dur);
    expect(event.dur).toBeGreaterThanOrEqual(0);
    while (ends.length > 0 && ends[ends.length - 1] <= from) ends.pop();
    if (ends.length > 0) expect(until).toBeLessThanOrEqual(ends[ends.length - 1]);
    ends.push(until);
  }
}

/** An arrow begins and ends in a slice: a viewer drops it otherwise. */
function checkArrow(arrow: TraceEvent, tracks: Map<string, TraceEvent[]>): void {
  const at = ns(arrow.ts);
  const slices = (tracks.get(`${arrow.pid} ${arrow.tid}`) ?? []).filter(
    ({ ph, ts, dur }) => ph === 'X' && ns(ts) <= at && at <= ns(ts) + ns(dur),
  );
  expect({ arrow, slices: slices.length }).toEqual({ arrow, slices: expect.any(Number) });
  expect(slices.length).toBeGreaterThan(0);
}
