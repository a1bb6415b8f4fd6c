/** Programs of the host, run to their end; a failure throws with what the program printed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The clone. */
export const root = join(import.meta.dirname, '../..');

function run(command, words, options) {
  const result = spawnSync(command, words, { maxBuffer: 1 << 28, encoding: 'utf8', ...options });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status === 0) return result.stdout;
  const how = result.signal ?? `exit status ${result.status}`;
  throw new Error(`${command} ${words.join(' ')}: ${how}\n${result.stdout}${result.stderr}`);
}

export function must(command, words, options = {}) {
  run(command, words, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}
export function output(command, words, options = {}) {
  return run(command, words, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

/** Files of the clone in `paths`, relative to it: those git tracks or would. */
export function tracked(...paths) {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '--', ...paths];
  const names = output('git', words, { cwd: root }).split('\0');
  return names.filter((name) => name !== '' && existsSync(join(root, name)));
}
