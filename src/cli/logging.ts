/**
 * Diagnostics: pino on stderr, readable on a terminal and JSON lines elsewhere. Never used for what a guest wrote or for
 * traces. pino and pino-pretty are loaded at the first record that is really written, so that a silent run pays nothing.
 */
import { createRequire } from 'node:module';
import type { Logger as PinoLogger } from 'pino';
import type { PrettyStream } from 'pino-pretty';
import { LOG_LEVELS, type LogLevel } from './options.js';

type Write = (fields: object | string, message?: string) => void;

export interface Logger {
  readonly level: LogLevel;
  trace: Write;
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  fatal: Write;
}

export function createLog(level: LogLevel): Logger {
  let pino: PinoLogger | undefined;
  const writer =
    (method: Exclude<LogLevel, 'silent'>): Write =>
    (fields, message) => {
      if (LOG_LEVELS.indexOf(method) < LOG_LEVELS.indexOf(level)) return;
      pino ??= loadPino(level);
      if (typeof fields === 'string') pino[method](fields);
      else pino[method](fields, message);
    };
  return {
    level,
    trace: writer('trace'),
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    fatal: writer('fatal'),
  };
}

function loadPino(level: LogLevel): PinoLogger {
  const require = createRequire(import.meta.url);
  const { pino } = require('pino') as typeof import('pino');
  // Synchronous on both ways: a record is out before a crash, and no worker thread is started.
  if (!process.stderr.isTTY)
    return pino({ level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
  const { default: pretty } = require('pino-pretty') as { default: (options: object) => PrettyStream };
  const colorize = !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  return pino({ level, base: null }, pretty({ sync: true, destination: 2, colorize, translateTime: 'HH:MM:ss.l' }));
}
