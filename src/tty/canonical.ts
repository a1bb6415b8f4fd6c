/**
 * Line editing of canonical mode (drivers/tty/n_tty.c: n_tty_receive_char_canon and eraser): erase, word erase, kill,
 * reprint, literal next, end of file, the line delimiters.
 *
 * Invariant: an erase never reaches behind the line being typed, and takes whole UTF-8 characters with IUTF8.
 */
import { isAlnum, isCntrl } from './ctype.js';
import type { LineDiscipline } from './line-discipline.js';
import * as t from './termios.js';

const NEWLINE = 10;
const TAB = 9;
const BACKSPACE = 8;
const SPACE = 32;
const UNDERSCORE = 0x5f;

/** Returns whether `c` was an editing character or ended the line; otherwise it is data. */
export function receiveCanonical(ld: LineDiscipline, c: number): boolean {
  const { iflag, lflag, cc } = ld.termios;
  const { input, output } = ld;
  const iexten = (lflag & t.IEXTEN) !== 0;
  const echo = (lflag & t.ECHO) !== 0;
  if (c === cc[t.VERASE] || c === cc[t.VKILL] || (c === cc[t.VWERASE] && iexten)) {
    ld.erase(c);
    return true;
  }
  if (c === cc[t.VLNEXT] && iexten) {
    ld.literalNext = true;
    if (echo) {
      ld.finishErasing();
      if (lflag & t.ECHOCTL) {
        output.echoRaw(0x5e);
        output.echoRaw(BACKSPACE);
        output.commitEchoes();
      }
    }
    return true;
  }
  if (c === cc[t.VREPRINT] && echo && iexten) {
    ld.finishErasing();
    output.echo(c);
    output.echoRaw(NEWLINE);
    for (let i = input.canonHead; i < input.head; i++) output.echo(input.at(i));
    output.commitEchoes();
    return true;
  }
  if (c === NEWLINE) {
    if (lflag & (t.ECHO | t.ECHONL)) {
      output.echoRaw(NEWLINE);
      output.commitEchoes();
    }
    ld.endLine(c);
    return true;
  }
  if (c === cc[t.VEOF]) {
    ld.endLine(t.DISABLED_CHAR);
    return true;
  }
  if (c === cc[t.VEOL] || (c === cc[t.VEOL2] && iexten)) {
    if (echo) {
      ld.markCanonColumn();
      output.echo(c);
      output.commitEchoes();
    }
    if (c === 0xff && iflag & t.PARMRK) input.put(c);
    ld.endLine(c);
    return true;
  }
  return false;
}

const ERASE = 0;
const WERASE = 1;
const KILL = 2;

export function eraseInput(ld: LineDiscipline, key: number): void {
  const { lflag, iflag, cc } = ld.termios;
  const { input, output } = ld;
  if (input.head === input.canonHead) return;
  const echo = (lflag & t.ECHO) !== 0;
  const kind = key === cc[t.VERASE] ? ERASE : key === cc[t.VWERASE] ? WERASE : KILL;
  if (kind === KILL) {
    const visual = t.ECHOK | t.ECHOKE | t.ECHOE;
    if (!echo || (lflag & visual) !== visual) {
      input.head = input.canonHead;
      if (!echo) return;
      ld.finishErasing();
      output.echo(cc[t.VKILL]);
      if (lflag & t.ECHOK) output.echoRaw(NEWLINE);
      return;
    }
  }
  const iutf8 = (iflag & t.IUTF8) !== 0;
  const continues = (c: number): boolean => iutf8 && (c & 0xc0) === 0x80;
  let inWord = false;
  // Only the length modulo the ring counts, as in Linux.
  while (input.head !== input.canonHead) {
    let head = input.head;
    let c: number;
    do c = input.at(--head);
    while (continues(c) && head !== input.canonHead);
    // Continuation bytes without a start: not a character, stays.
    if (continues(c)) break;
    if (kind === WERASE) {
      if (isAlnum(c) || c === UNDERSCORE) inWord = true;
      else if (inWord) break;
    }
    const end = input.head;
    input.head = head;
    if (echo) {
      if (lflag & t.ECHOPRT) {
        if (!ld.erasing) {
          output.echoRaw(0x5c);
          ld.erasing = true;
        }
        output.echo(c);
        for (let i = head + 1; i < end; i++) {
          output.echoRaw(input.at(i));
          output.moveBackColumn();
        }
      } else if (kind === ERASE && !(lflag & t.ECHOE)) {
        output.echo(cc[t.VERASE]);
      } else if (c === TAB) {
        eraseTab(ld, continues);
      } else {
        const width = isCntrl(c) ? (lflag & t.ECHOCTL ? 2 : 0) : 1;
        for (let i = 0; i < width; i++) {
          output.echoRaw(BACKSPACE);
          output.echoRaw(SPACE);
          output.echoRaw(BACKSPACE);
        }
      }
    }
    if (kind === ERASE) break;
  }
  if (input.head === input.canonHead && echo) ld.finishErasing();
}

/** Counts the columns since the tab before, or since the start of the line, which decide how wide the erased tab was. */
function eraseTab(ld: LineDiscipline, continues: (c: number) => boolean): void {
  const { input, output } = ld;
  let columns = 0;
  for (let i = input.head; i !== input.canonHead;) {
    const c = input.at(--i);
    if (c === TAB) {
      output.eraseTab(columns, true);
      return;
    }
    if (isCntrl(c)) {
      if (ld.termios.lflag & t.ECHOCTL) columns += 2;
    } else if (!continues(c)) {
      columns++;
    }
  }
  output.eraseTab(columns, false);
}
