/** What each call tells of the file system that a recording began with: see files.ts. */
import type { EntryType } from '../../fs/archive/types.js';
import type { TraceEvent } from '../trace/parse/line.js';
import type { Term } from '../trace/parse/term.js';
import type { FileFacts, Process } from './files.js';

export type Learner = (
  facts: FileFacts,
  process: Process,
  terms: readonly Term[],
  result: number,
  error: string,
  event: Extract<TraceEvent, { kind: 'call' | 'resumed' }>,
) => void;

const has = (term: Term | undefined, flag: string): boolean =>
  term !== undefined && (term.text === flag || term.parts.some((part) => part.text === flag));

function opened(
  facts: FileFacts,
  process: Process,
  path: string,
  flags: Term | undefined,
  result: number,
  error: string,
): void {
  const creates = has(flags, 'O_CREAT');
  if (error === 'ENOENT') {
    if (!creates) facts.missing(path);
    return;
  }
  if (
    error === 'ENOTDIR' ||
    error === 'ELOOP' ||
    (error !== '' && error !== 'EACCES' && error !== 'EISDIR' && error !== 'EEXIST')
  )
    return;
  if (creates && error === '' && (has(flags, 'O_EXCL') || !facts.seen(path))) facts.change(path);
  else {
    const fact = facts.behind(path, has(flags, 'O_DIRECTORY') || error === 'EISDIR' ? 'dir' : 'file');
    if (fact !== null && error === 'EACCES') fact.mode = 0;
    if (has(flags, 'O_TRUNC')) facts.written(path);
  }
  if (result >= 0) process.files.set(result, { path, offset: 0 });
}
/** A path argument at `i` (with its directory at `i - 1` if `at`), found or not. */
const looked =
  (i: number, at: boolean, then?: (facts: FileFacts, path: string, terms: readonly Term[]) => void): Learner =>
  (facts, process, terms, _result, error) => {
    const path = facts.path(process, at ? terms[i - 1] : null, terms[i]);
    if (path === '/' || path === '') return;
    if (error === '') {
      facts.behind(path);
      then?.(facts, path, terms);
    } else if (error === 'ENOENT') facts.missing(path);
  };
/** X_OK was asked for, and granted. */
function executable(mode: number) {
  return (facts: FileFacts, path: string, terms: readonly Term[]): void => {
    const fact = has(terms[mode], 'X_OK') ? facts.behind(path) : null;
    if (fact !== null) fact.mode |= 0o111;
  };
}
const made =
  (i: number, at: boolean): Learner =>
  (facts, process, terms, _result, error) => {
    const path = facts.path(process, at ? terms[i - 1] : null, terms[i]);
    if (error === '') facts.change(path);
    else if (error === 'EEXIST') facts.exists(path, 'dir');
  };
const removed =
  (i: number, at: boolean, type: EntryType): Learner =>
  (facts, process, terms, _result, error) => {
    const path = facts.path(process, at ? terms[i - 1] : null, terms[i]);
    if (error === 'ENOENT') facts.missing(path);
    else if (error === '') {
      facts.exists(path, has(terms[i + 1], 'AT_REMOVEDIR') ? 'dir' : type);
      facts.unlinked(path);
    }
  };
const renamed =
  (from: number, to: number, at: boolean): Learner =>
  (facts, process, terms, _result, error) => {
    const source = facts.path(process, at ? terms[from - 1] : null, terms[from]);
    const target = facts.path(process, at ? terms[to - 1] : null, terms[to]);
    if (error === 'ENOENT') facts.missing(source);
    if (error !== '') return;
    facts.renamed(source, target);
  };
const statAt =
  (i: number, at: boolean): Learner =>
  (facts, process, terms, _result, error) => {
    const name = terms.at(i);
    const empty = at && name?.kind === 'string' && name.text === '';
    const shown = terms.find((term) => term.kind === 'struct');
    if (empty) return facts.fstat(process, terms[i - 1], shown);
    const path = facts.path(process, at ? terms[i - 1] : null, name);
    if (path === '/') return;
    if (error === 'ENOENT') facts.missing(path);
    else if (error === '') facts.stat(path, shown);
  };
const duplicated: Learner = (_facts, process, terms, result) => {
  const open = process.files.get(_facts.number(terms[0]));
  if (result < 0) return;
  process.files.set(result, open ?? { path: '', offset: 0 });
};
const forked: Learner = (facts, process, terms, result) => {
  if (result > 0)
    facts.forked(
      process,
      result,
      terms.some((term) => has(term, 'CLONE_FILES') || has(term.field('flags'), 'CLONE_FILES')),
    );
};
const readLink =
  (i: number, at: boolean): Learner =>
  (facts, process, terms, _result, error) => {
    const path = facts.path(process, at ? terms[i - 1] : null, terms[i]);
    if (error === 'ENOENT') facts.missing(path);
    else if (error === '') {
      const target = terms.at(i + 1);
      const text = target?.kind === 'string' ? target.text : '';
      facts.link(path, target?.cut === true ? '' : text, text);
    } else if (error === 'EINVAL') facts.exists(path);
  };
const written: Learner = (facts, process, terms, result) => {
  const fd = facts.number(terms[0]);
  const open = process.files.get(fd);
  if (open === undefined) facts.streamed(fd);
  else if (result >= 0) {
    open.offset += result;
    facts.written(open.path);
  }
};
/** What shows that a standard stream nobody opened is at its end whatever is done: `>>` of the shell. */
function appends(facts: FileFacts, process: Process, term: Term): void {
  const fd = facts.number(term);
  if (fd <= 2 && !process.files.has(fd)) facts.appending.add(fd);
  // A shell that has had it elsewhere for a while.
  for (const [standard, note] of facts.standard) if (note === term.note) facts.appending.add(standard);
}
const executed: Learner = (facts, process, terms, _result, error) => {
  const path = facts.path(process, null, terms[0]);
  if (error === '') facts.program(path);
  else if (error === 'ENOENT') facts.missing(path);
};

/** By call; others tell nothing. */
export const FILE_CALLS: Readonly<Record<string, Learner | undefined>> = {
  open: (f, p, t, r, e) => opened(f, p, f.path(p, null, t[0]), t[1], r, e),
  openat: (f, p, t, r, e) => opened(f, p, f.path(p, t[0], t[1]), t[2], r, e),
  openat2: (f, p, t, r, e) => opened(f, p, f.path(p, t[0], t[1]), t[2].field('flags'), r, e),
  creat: (f, p, t, r, e) => {
    const path = f.path(p, null, t[0]);
    if (e === '') f.change(path);
    if (r >= 0) p.files.set(r, { path, offset: 0 });
  },
  close: (f, p, t) => void p.files.delete(f.number(t[0])),
  dup: duplicated,
  dup2: duplicated,
  dup3: duplicated,
  fcntl: (f, p, t, r, e, event) => {
    if (t[1].text.startsWith('F_DUPFD')) duplicated(f, p, t, r, e, event);
    else if (t[1].text === 'F_GETFL' && event.outcome.aux.includes('O_APPEND')) appends(f, p, t[0]);
  },
  read: (f, p, t, r) => f.read(p, t[0], t[1], r, -1),
  pread64: (f, p, t, r) => f.read(p, t[0], t[1], r, f.number(t[3])),
  readv: (f, p, t, r) => {
    let left = r;
    for (const piece of t[1].parts) {
      const n = Math.min(left, f.number(piece.field('iov_len')));
      if (n <= 0) break;
      f.read(p, t[0], piece.field('iov_base'), n, -1);
      left -= n;
    }
  },
  lseek: (f, p, t, r) => {
    const open = p.files.get(f.number(t[0]));
    if (open !== undefined && r >= 0) open.offset = r;
  },
  write: written,
  writev: written,
  pwrite64: written,
  ftruncate: written,
  truncate: (f, p, t, _r, e) => {
    if (e === '') f.written(f.path(p, null, t[0]));
  },
  // EBADF to a descriptor that can be written is its oddity for O_APPEND.
  copy_file_range: (f, p, t, _r, e) => {
    if (e === 'EBADF') appends(f, p, t[2]);
  },
  getdents64: (f, p, t, r) => {
    if (r >= 0) f.list(p, t[0], t[1]);
  },
  getdents: (f, p, t, r) => {
    if (r >= 0) f.list(p, t[0], t[1]);
  },
  stat: statAt(0, false),
  lstat: statAt(0, false),
  newfstatat: statAt(1, true),
  statx: statAt(1, true),
  fstat: (f, p, t) => f.fstat(p, t[0], t[1]),
  access: looked(0, false, executable(1)),
  faccessat: looked(1, true, executable(2)),
  faccessat2: looked(1, true, executable(2)),
  chdir: (f, p, t, _r, e) => {
    const path = f.path(p, null, t[0]);
    if (e === 'ENOENT') f.missing(path);
    if (e !== '' || path === '') return;
    if (path !== '/') f.exists(path, 'dir');
    p.cwd = path;
  },
  fchdir: (f, p, t, _r, e) => {
    const path = p.files.get(f.number(t[0]))?.path;
    if (e === '' && path !== undefined) p.cwd = path;
  },
  getcwd: (f, p, t, r) => {
    if (r > 0 && t[0].kind === 'string' && p.cwd === '' && f.cwd === '') f.cwd = t[0].text.replace(/\0$/, '');
  },
  readlink: readLink(0, false),
  readlinkat: readLink(1, true),
  mkdir: made(0, false),
  mkdirat: made(1, true),
  mknod: made(0, false),
  mknodat: made(1, true),
  symlink: made(1, false),
  symlinkat: made(2, true),
  link: (f, p, t, _r, e) => {
    if (e !== '') return;
    f.linked(f.path(p, null, t[0]), f.path(p, null, t[1]));
  },
  linkat: (f, p, t, _r, e) => {
    if (e !== '') return;
    f.linked(f.path(p, t[0], t[1]), f.path(p, t[2], t[3]));
  },
  unlink: removed(0, false, 'file'),
  rmdir: removed(0, false, 'dir'),
  unlinkat: removed(1, true, 'file'),
  rename: renamed(0, 1, false),
  renameat: renamed(1, 3, true),
  renameat2: renamed(1, 3, true),
  chmod: looked(0, false),
  fchmodat: looked(1, true),
  utimensat: looked(1, true),
  statfs: looked(0, false),
  execve: executed,
  clone: forked,
  clone3: forked,
  fork: forked,
  vfork: forked,
};
