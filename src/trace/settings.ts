/** What a trace shows and how: the choices of strace's command line, which src/trace/strace-options.ts reads. */
import type { Row } from '../../syscalls/row.js';
import { DEFAULT_STYLE, type StraceStyle } from './style.js';

/** How fine a time is shown. */
export type Precision = 's' | 'ms' | 'us' | 'ns';

/** How a call can end for -e status=; the last two never happen here. */
export const STATUSES = ['successful', 'failed', 'unfinished', 'unavailable', 'detached'] as const;
export type Status = (typeof STATUSES)[number];

/** Columns of the -c table, and what it can be sorted by. */
export const COLUMNS = [
  'time-percent',
  'total-time',
  'min-time',
  'max-time',
  'avg-time',
  'calls',
  'errors',
  'name',
] as const;
export type Column = (typeof COLUMNS)[number];

export interface SummarySettings {
  readonly columns: readonly Column[];
  readonly sort: Column | 'nothing';
  /** Taken off every call (-O). */
  readonly overheadNs: number;
}
export const DEFAULT_SUMMARY: SummarySettings = {
  columns: ['time-percent', 'total-time', 'avg-time', 'calls', 'errors', 'name'],
  sort: 'total-time',
  overheadNs: 0,
};

export interface StraceSettings {
  /** Calls that are shown and counted (-e trace). */
  readonly traced: (row: Row) => boolean;
  readonly style: (row: Row) => StraceStyle;
  /** Outcomes that are shown (-e status, -z, -Z); null: every one, and lines may be interrupted. */
  readonly statuses: ReadonlySet<Status> | null;
  /** Signals that are shown (-e signal). */
  readonly signals: (signal: number) => boolean;
  /** Lines about exits (-e quiet=exit). */
  readonly exits: boolean;
  /** Lines about leaders that another thread's execve took the place of (-e quiet=superseded). */
  readonly superseded: boolean;
  /** Only calls that touch one of these (-P); none: all calls. */
  readonly paths: ReadonlySet<string>;
  /** Where the equals sign stands (-a). */
  readonly column: number;
  /** A file per task (-ff). */
  readonly separately: boolean;
  /** Numbers of calls (-n). */
  readonly numbers: boolean;
  /** Time since the line before (-r), time of day (-t), time spent (-T). */
  readonly relative: Precision | null;
  readonly absolute: { readonly unix: boolean; readonly precision: Precision } | null;
  readonly spent: Precision | null;
  /** Lines are written; false: only counted (-c). */
  readonly lines: boolean;
  /** The table of -c and -C. */
  readonly summary: SummarySettings | null;
}

export const DEFAULT_SETTINGS: StraceSettings = {
  traced: () => true,
  style: () => DEFAULT_STYLE,
  statuses: null,
  signals: () => true,
  exits: true,
  superseded: true,
  paths: new Set(),
  column: 40,
  separately: false,
  numbers: false,
  relative: null,
  absolute: null,
  spent: null,
  lines: true,
  summary: null,
};
