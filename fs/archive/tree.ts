/**
 * Turns what a parser reports into the clean list that `Archive` promises, the way an unpacker in a chroot would: names
 * are resolved inside the archive's own tree, `..` stops at the root, symbolic links met on the way are followed inside
 * that tree only, a later entry replaces an earlier one of the same name, missing parents are made (0755). The host is
 * not involved. Linux's own unpacker of initramfs archives (init/initramfs.c) does the same with real directories.
 */
import type { ByteString } from '../../src/abi/types.js';
import { ArchiveError, type ArchiveEntry, type FileContent, type RawEntry } from './types.js';

interface Inode {
  entry: ArchiveEntry;
  children?: Map<ByteString, Inode>;
  parent?: Inode;
}

/** Symbolic links met in one walk, all levels together: a chain of links that name links is not to cost exponential time. */
interface Walk {
  links: number;
}

const MAX_LINKS = 40;
const MAX_TARGET = 4095;
const MAX_COMPONENT = 255;
const MAX_DEPTH = 1024;
const MAX_WARNINGS = 256;
const DEFAULT_MAX_ENTRIES = 4_000_000;

export interface TreeOptions {
  maxEntries?: number;
}

export class TreeBuilder {
  readonly warnings: string[] = [];
  readonly #archive: string;
  readonly #root: Inode;
  readonly #maxEntries: number;
  readonly #inodes = new Map<string, Inode>();
  #count = 0;

  constructor(archive: string, options: TreeOptions = {}) {
    this.#archive = archive;
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
    this.#root = { entry: directory(0o755), children: new Map() };
    this.#root.parent = this.#root;
  }

  warn(text: string): void {
    if (this.warnings.length < MAX_WARNINGS) this.warnings.push(text);
    else if (this.warnings.length === MAX_WARNINGS) this.warnings.push('further warnings are left out');
  }

  add(raw: RawEntry): void {
    if (++this.#count > this.#maxEntries) throw this.#error(raw, `more than ${this.#maxEntries} entries`);
    const { parts, trailing } = this.#split(raw);
    if (parts.length === 0) {
      if (raw.type !== 'dir') throw this.#error(raw, `the root directory as a ${raw.type}`);
      this.#root.entry = strip(raw);
      return;
    }
    const name = parts.pop()!;
    const parent = this.#walk(raw, parts, true);
    if (name === '..') {
      if (raw.type !== 'dir') throw this.#error(raw, `name '${printable(raw.path)}' of a ${raw.type} ends in '..'`);
      return; // an existing directory: nothing to create, and its metadata is not this entry's to change
    }
    if (trailing && raw.type !== 'dir')
      throw this.#error(raw, `name '${printable(raw.path)}' of a ${raw.type} ends in a slash`);
    if (raw.type === 'symlink') {
      const target = raw.link ?? '';
      if (target === '' || target.length > MAX_TARGET || target.includes('\0')) {
        throw this.#error(raw, `symbolic link '${printable(raw.path)}' with a bad target`);
      }
    }
    this.#place(raw, parent, name);
  }

  /** The clean list, parents before children. Ends the building. */
  finish(): ArchiveEntry[] {
    const out: ArchiveEntry[] = [];
    const seen = new Map<Inode, ByteString>();
    // An explicit stack: the depth is the archive's, and JS's own stack is not to depend on it.
    const stack: [Inode, ByteString][] = [[this.#root, '']];
    while (stack.length > 0) {
      const [inode, path] = stack.pop()!;
      const first = seen.get(inode);
      if (first !== undefined) {
        const { data: _data, xattrs: _xattrs, ...rest } = inode.entry;
        out.push({ ...rest, path, type: 'hardlink', size: 0, link: first });
        continue;
      }
      seen.set(inode, path);
      inode.entry.path = path;
      out.push(inode.entry);
      if (!inode.children) continue;
      const children = [...inode.children].reverse();
      for (const [name, child] of children) stack.push([child, path === '' ? name : `${path}/${name}`]);
    }
    return out;
  }

  #place(raw: RawEntry, parent: Inode, name: ByteString): void {
    const children = parent.children!;
    const existing = children.get(name);
    if (raw.type === 'dir') {
      // As mkdir -p: a directory there already, or a link to one, only gets new metadata.
      const target =
        existing?.entry.type === 'symlink' ? this.#follow(raw, parent, existing, { links: 0 }, false) : existing;
      if (target?.children) {
        if (target === existing) target.entry = strip(raw);
        return;
      }
      children.set(name, { entry: strip(raw), children: new Map(), parent });
      return;
    }
    if (existing?.children && existing.children.size > 0) {
      throw this.#error(raw, `'${printable(raw.path)}' is a ${raw.type} but was a directory with entries before`);
    }
    if (raw.type === 'hardlink') {
      const target = this.#linkTarget(raw);
      if (target === existing) return;
      children.delete(name);
      children.set(name, target);
      return;
    }
    const known = raw.inode === undefined ? undefined : this.#inodes.get(raw.inode);
    if (known) {
      // cpio: every name of an inode is a full entry, and only one of them (usually the last) carries the data.
      if (raw.data && raw.data.size > 0 && !(known.entry.data && known.entry.data.size > 0))
        setData(known.entry, raw.data);
      children.delete(name);
      children.set(name, known);
      return;
    }
    const inode: Inode = { entry: strip(raw) };
    if (raw.inode !== undefined) this.#inodes.set(raw.inode, inode);
    children.delete(name);
    children.set(name, inode);
  }

  #linkTarget(raw: RawEntry): Inode {
    const { parts } = this.#split({ ...raw, path: raw.link ?? '' });
    const name = parts.pop();
    const parent = name === undefined ? undefined : this.#walk(raw, parts, false);
    const target = name === undefined ? undefined : parent?.children!.get(name);
    if (!target) {
      throw this.#error(
        raw,
        `hard link '${printable(raw.path)}' to '${printable(raw.link ?? '')}', which is not there`,
      );
    }
    if (target.children) throw this.#error(raw, `hard link '${printable(raw.path)}' to a directory`);
    return target;
  }

  #split(raw: { path: ByteString; offset: number }): { parts: ByteString[]; trailing: boolean } {
    if (raw.path.includes('\0')) throw this.#error(raw, `name '${printable(raw.path)}' holds a NUL byte`);
    const parts = raw.path.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.length > MAX_DEPTH) throw this.#error(raw, `name with ${parts.length} components`);
    for (const part of parts) {
      if (part.length > MAX_COMPONENT)
        throw this.#error(raw, `name component of ${part.length} bytes (at most ${MAX_COMPONENT})`);
    }
    if (parts.includes('..')) this.warn(`'${printable(raw.path)}' holds '..': resolved inside the archive`);
    return { parts, trailing: raw.path.endsWith('/') };
  }

  /** The directory of these components; makes what is missing if `create`, else gives undefined for it. */
  #walk(raw: RawEntry, parts: readonly ByteString[], create: true): Inode;
  #walk(raw: RawEntry, parts: readonly ByteString[], create: boolean): Inode | undefined;
  #walk(raw: RawEntry, parts: readonly ByteString[], create: boolean): Inode | undefined {
    return this.#descend(raw, this.#root, parts, { links: 0 }, create);
  }

  #descend(raw: RawEntry, start: Inode, parts: readonly ByteString[], walk: Walk, create: boolean): Inode | undefined {
    let at = start;
    for (const part of parts) {
      if (part === '..') {
        at = at.parent!;
        continue;
      }
      let next = at.children!.get(part);
      if (!next) {
        if (!create) return undefined;
        if (++this.#count > this.#maxEntries) throw this.#error(raw, `more than ${this.#maxEntries} entries`);
        next = { entry: directory(0o755), children: new Map(), parent: at };
        at.children!.set(part, next);
      } else if (next.entry.type === 'symlink') {
        next = this.#follow(raw, at, next, walk, create);
        if (!next) return undefined;
      }
      if (!next.children)
        throw this.#error(
          raw,
          `'${printable(raw.path)}': '${printable(part)}' is a ${next.entry.type}, not a directory`,
        );
      at = next;
    }
    return at;
  }

  #follow(raw: RawEntry, at: Inode, symlink: Inode, walk: Walk, create: boolean): Inode | undefined {
    if (++walk.links > MAX_LINKS)
      throw this.#error(raw, `'${printable(raw.path)}': too many symbolic links on the way`);
    const target = symlink.entry.link ?? '';
    const parts = target.split('/').filter((part) => part !== '' && part !== '.');
    return this.#descend(raw, target.startsWith('/') ? this.#root : at, parts, walk, create);
  }

  #error(raw: { offset: number }, problem: string): ArchiveError {
    return new ArchiveError(this.#archive, raw.offset, problem);
  }
}

function directory(mode: number): ArchiveEntry {
  return { path: '', type: 'dir', mode, uid: 0, gid: 0, mtimeSec: 0, mtimeNsec: 0, size: 0 };
}

function setData(entry: ArchiveEntry, data: FileContent): void {
  entry.data = data;
  entry.size = data.size;
}

/** A RawEntry without what only the builder needs. */
function strip(raw: RawEntry): ArchiveEntry {
  const { offset: _offset, inode: _inode, ...entry } = raw;
  return entry;
}

/** A byte string for a message: no control characters, of bounded length. */
export function printable(text: ByteString): string {
  const shown = text.replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
