/**
 * The host's argv and environment as byte strings. Node decodes them as UTF-8 and loses bytes that are not; the kernel
 * still has them, in /proc/self, and they are fetched from there when something was lost.
 */
import { readFileSync } from 'node:fs';
import type { ByteString } from '../abi/types.js';

const LOST = '\ufffd';

/** The last `words.length` words of this process's command line, as bytes. */
export function argvBytes(words: readonly string[]): ByteString[] {
  if (words.some((word) => word.includes(LOST))) {
    const all = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
    const own = words.length === 0 ? [] : all.slice(-words.length);
    if (own.length === words.length) return own;
  }
  return words.map(toBytes);
}

export function environmentBytes(): Record<ByteString, ByteString> {
  const env = Object.create(null) as Record<ByteString, ByteString>;
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    if (name.includes(LOST) || value.includes(LOST)) return environmentFromProc();
    env[toBytes(name)] = toBytes(value);
  }
  return env;
}

function environmentFromProc(): Record<ByteString, ByteString> {
  const env = Object.create(null) as Record<ByteString, ByteString>;
  for (const entry of readFileSync('/proc/self/environ', 'latin1').split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0) env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return env;
}

export function toBytes(text: string): ByteString {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}

export function fromBytes(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
