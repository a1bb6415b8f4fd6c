/** The text of --strace-options cut into words as a shell would, each with its place, for messages. */

export interface Word {
  readonly text: string;
  /** Where it begins in its text, from 1. */
  readonly at: number;
}

/** Options that cannot be; the message names the place and the option. */
export class StraceOptionError extends Error {
  override readonly name = 'StraceOptionError';

  constructor(at: number, message: string) {
    super(`character ${at}: ${message}`);
  }
}

const SPACE = /[ \t\n]/;

/** Quotes and backslashes work as in sh(1); nothing is expanded. */
export function splitWords(text: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (SPACE.test(text[at])) {
      at++;
      continue;
    }
    const start = at;
    let word = '';
    while (at < text.length && !SPACE.test(text[at])) {
      const c = text[at];
      if (c === "'" || c === '"') {
        const quoted = c === "'" ? single(text, at) : double(text, at);
        word += quoted.text;
        at = quoted.end;
      } else if (c === '\\' && at + 1 < text.length) {
        word += text[at + 1];
        at += 2;
      } else {
        word += c;
        at++;
      }
    }
    words.push({ text: word, at: start + 1 });
  }
  return words;
}

function single(text: string, from: number): { text: string; end: number } {
  const end = text.indexOf("'", from + 1);
  if (end < 0) throw new StraceOptionError(from + 1, 'the quote is not closed');
  return { text: text.slice(from + 1, end), end: end + 1 };
}
function double(text: string, from: number): { text: string; end: number } {
  let out = '';
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '"') return { text: out, end: at + 1 };
    if (text[at] === '\\' && '"\\$`'.includes(text[at + 1] ?? ' ')) at++;
    out += text[at];
  }
  throw new StraceOptionError(from + 1, 'the quote is not closed');
}
