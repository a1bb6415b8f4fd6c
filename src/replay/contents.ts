/**
 * Contents: what a recording read of files, on its way into the file system that the replay begins with. In a temporary file
 * without a name past the first piece: a recording may have read more than there is memory.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PIECE = 1 << 20;
/** Nothing larger is kept of one file. */
const MOST = 1 << 28;

/** Bytes of a file from `offset` on; `at` is their place in the store. */
interface Piece {
  readonly offset: number;
  readonly at: number;
  length: number;
}

export class ContentStore {
  private fd = -1;
  /** Bytes that are in the file; the rest is in `piece`. */
  private written = 0;
  private readonly piece = Buffer.alloc(PIECE);
  private used = 0;

  get size(): number {
    return this.written + this.used;
  }
  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const n = Math.min(bytes.length - from, PIECE - this.used);
      this.piece.set(bytes.subarray(from, from + n), this.used);
      this.used += n;
      from += n;
      if (this.used === PIECE) this.spill();
    }
  }
  read(at: number, dst: Uint8Array, offset: number, length: number): void {
    let done = 0;
    while (done < length && at + done < this.written) {
      const n = Math.min(length - done, this.written - at - done);
      const read = readSync(this.fd, dst, offset + done, n, at + done);
      if (read === 0) return;
      done += read;
    }
    const from = at + done - this.written;
    if (done < length) dst.set(this.piece.subarray(from, from + length - done), offset + done);
  }
  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }
  private spill(): void {
    if (this.fd < 0) {
      const folder = mkdtempSync(join(tmpdir(), 'levitate-replay-'));
      this.fd = openSync(join(folder, 'contents'), 'wx+', 0o600);
      rmSync(folder, { recursive: true });
    }
    for (let from = 0; from < PIECE;) from += writeSync(this.fd, this.piece, from, PIECE - from);
    this.written += PIECE;
    this.used = 0;
  }
}

/** What is known of one file. What was learned first is how it was. */
export class Content {
  private readonly store: ContentStore;
  private readonly pieces: Piece[] = [];
  /** Everything before it is known. */
  private known = 0;

  constructor(store: ContentStore) {
    this.store = store;
  }
  add(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end <= this.known || end > MOST) return;
    const { size: at } = this.store;
    const last = this.pieces.at(-1);
    this.store.add(bytes);
    if (last !== undefined && last.offset + last.length === offset && last.at + last.length === at)
      last.length += bytes.length;
    else this.pieces.push({ offset, at, length: bytes.length });
    if (offset <= this.known) this.known = end;
  }
  /** Bytes from `offset` on; what nobody has read is left as it is. */
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): void {
    for (const piece of this.pieces) {
      const first = Math.max(piece.offset, offset);
      const last = Math.min(piece.offset + piece.length, offset + length);
      if (first < last) this.store.read(piece.at + first - piece.offset, dst, dstOffset + first - offset, last - first);
    }
  }
  /** Its first bytes. */
  head(length: number): string {
    const bytes = Buffer.alloc(Math.min(length, this.known));
    this.read(bytes, 0, 0, bytes.length);
    return bytes.toString('latin1');
  }
}
