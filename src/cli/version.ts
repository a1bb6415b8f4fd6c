/** The package's version: put in by the bundler, or read. */
import { readFileSync } from 'node:fs';

declare const LEVITATE_VERSION: string | undefined;

export function version(): string {
  if (typeof LEVITATE_VERSION === 'string') return LEVITATE_VERSION;
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
