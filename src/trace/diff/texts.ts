/**
 * Printed arguments taken apart: a call's text into its arguments, an argument's text into tokens.
 *
 * Only what the printers of src/trace write is understood: quoted strings with C's escapes, brackets, comments, names and numbers.
 */

/** The end of the quoted string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  let i = at + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return Math.min(text.length, i + 1);
}

/** Texts between the commas outside of strings, brackets and comments. */
export function splitArguments(text: string): string[] {
  if (text === '') return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length;) {
    const c = text[i];
    if (c === '"') {
      i = stringEnd(text, i);
      continue;
    }
    if (text.startsWith('/*', i)) {
      const end = text.indexOf('*/', i);
      i = end < 0 ? text.length : end + 2;
      continue;
    }
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    else if (c === ',' && depth === 0 && text[i + 1] === ' ') {
      parts.push(text.slice(start, i));
      start = i + 2;
      i++;
    }
    i++;
  }
  parts.push(text.slice(start));
  return parts;
}

export interface Token {
  readonly kind: 'string' | 'number' | 'name' | 'mark';
  readonly text: string;
  /** The field it is the value of, as in `si_pid=7`; '' where there is none. */
  readonly field: string;
}

/** Comments that say a time in words. */
const SPELLED = / \/\* (?:[\d.]+ s|-?\d{4}-\d\d-\d\dT[^*]*) \*\//g;

const TOKEN = /"(?:\\.|[^"\\])*"?(?:\.\.\.)?|-?0x[0-9a-f]+|-?\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*|\s+|./gs;

/** Its fields are told by their struct alone: what is left of a timeout, `(in [3], left {tv_sec=0, tv_usec=7})`. */
const WHOLE = new Set(['left']);

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  const levels = [{ base: '', field: '' }];
  let name = '';
  for (const [word] of text.replace(SPELLED, '').matchAll(TOKEN)) {
    if (/^\s+$/.test(word)) continue;
    const level = levels[levels.length - 1];
    const kind = kindOf(word);
    found.push({ kind, text: word, field: level.field });
    if (word === '=' && !WHOLE.has(level.base)) level.field = name;
    else if (word === ',') level.field = level.base;
    else if (word === '{') levels.push(WHOLE.has(name) ? { base: name, field: name } : { base: '', field: '' });
    else if (word === '[' || word === '(') levels.push({ base: level.field, field: level.field });
    else if (levels.length > 1 && ')]}'.includes(word)) levels.pop();
    name = kind === 'name' ? word : '';
  }
  return found;
}

function kindOf(word: string): Token['kind'] {
  if (word.startsWith('"')) return 'string';
  if (/^-?\d/.test(word)) return 'number';
  return /^[A-Za-z_]/.test(word) ? 'name' : 'mark';
}
