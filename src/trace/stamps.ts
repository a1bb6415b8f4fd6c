/** Times beside calls: -t and -r before the line, -T after it. Zones are a matter of the host: days are counted in UTC. */
import type { Precision, StraceSettings } from './settings.js';

export interface TraceClock {
  monotonicNs(): number;
  realtime(): { readonly sec: number; readonly nsec: number };
}

const DIGITS: Readonly<Record<Precision, number>> = { s: 0, ms: 3, us: 6, ns: 9 };
const NS = 1e9;

/** `.000012`, or nothing for whole seconds. */
function fraction(nsec: number, precision: Precision): string {
  const digits = DIGITS[precision];
  return digits === 0 ? '' : `.${String(Math.floor(nsec / 10 ** (9 - digits))).padStart(digits, '0')}`;
}

export function timeOfDay(sec: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(sec / 3600) % 24)}:${two(Math.floor(sec / 60) % 60)}:${two(sec % 60)}`;
}

/** `<0.000012>` */
export function spentText(ns: number, precision: Precision): string {
  const whole = Math.max(0, ns);
  return `<${Math.floor(whole / NS)}${fraction(whole % NS, precision)}>`;
}

/** What lines begin with. */
export class Stamps {
  private readonly clock: TraceClock;
  private readonly settings: Pick<StraceSettings, 'absolute' | 'relative'>;
  private before: number | null = null;

  constructor(clock: TraceClock, settings: Pick<StraceSettings, 'absolute' | 'relative'>) {
    this.clock = clock;
    this.settings = settings;
  }

  next(): string {
    const { absolute, relative } = this.settings;
    let text = '';
    if (absolute !== null) {
      const { sec, nsec } = this.clock.realtime();
      text = `${absolute.unix ? sec : timeOfDay(sec)}${fraction(nsec, absolute.precision)} `;
    }
    if (relative === null) return text;
    const now = this.clock.monotonicNs();
    const passed = now - (this.before ?? now);
    this.before = now;
    const seconds = `${String(Math.floor(passed / NS)).padStart(6)}${fraction(passed % NS, relative)}`;
    return `${text}${absolute === null ? seconds : `(+${seconds})`} `;
  }
}
