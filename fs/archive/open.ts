/**
 * Opens whatever the user gives as a root filesystem: a directory, a prepared image, or a tar or cpio archive, plain or
 * gzip-compressed. The bytes decide, not the name. A compressed archive is unpacked into an unlinked temporary file, in
 * a stream: contents stay lazy, memory stays constant, and nothing is left behind whatever happens.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCpio, readCpio } from './cpio.js';
import { openDirectory } from './host-directory.js';
import { IMAGE_INDEX, openImage } from './image.js';
import { BufferSource, HostFileSource } from './source.js';
import { isTar, readTar } from './tar.js';
import type { TreeOptions } from './tree.js';
import { ArchiveError, type Archive, type ByteSource } from './types.js';

const GIB = 1 << 30;
const PIECE_BYTES = 1 << 17;

export interface OpenOptions extends TreeOptions {
  /** Most bytes a compressed archive may unpack to (a bomb is an error, not a full disk). Default 16 GiB. */
  maxUnpackedBytes?: number;
  /** Folder for the temporary file of a compressed archive. */
  tmp?: string;
}

/** @throws ArchiveError, or the host's error if the path cannot be opened. */
export async function openArchive(path: string, options: OpenOptions = {}): Promise<Archive> {
  if (statSync(path).isDirectory()) return existsSync(join(path, IMAGE_INDEX)) ? openImage(path) : openDirectory(path);
  // Non-blocking, so that a FIFO by mistake is an error below and not a hang here.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!fstatSync(fd).isFile()) {
    closeSync(fd);
    throw new ArchiveError(path, undefined, 'neither a directory nor a regular file');
  }
  const file = new HostFileSource(fd);
  try {
    const source = isGzip(start(file)) ? await unpack(path, file, options) : file;
    return { ...parse(path, source, options), close: () => source.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The same for an archive in memory (not compressed). */
export function readArchive(name: string, bytes: Uint8Array, options: TreeOptions = {}): Archive {
  return { ...parse(name, new BufferSource(bytes), options), close: () => undefined };
}

function parse(name: string, source: ByteSource, options: TreeOptions): Omit<Archive, 'close'> {
  const head = start(source);
  if (isCpio(head)) return { format: 'cpio', name, ...readCpio(name, source, options) };
  if (isTar(head)) return { format: 'tar', name, ...readTar(name, source, options) };
  throw new ArchiveError(
    name,
    0,
    `not a root filesystem: expected a directory, or a tar, tar.gz or cpio (newc) archive${hint(head)}`,
  );
}

function hint(head: Uint8Array): string {
  const magic = Buffer.from(head.subarray(0, 6)).toString('latin1');
  if (magic.startsWith('\xfd7zXZ')) return '; this is xz: unpack it with xz -d';
  if (magic.startsWith('\x28\xb5\x2f\xfd')) return '; this is zstd: unpack it with zstd -d';
  if (magic.startsWith('BZh')) return '; this is bzip2: unpack it with bzip2 -d';
  if (magic.startsWith('070707') || magic.startsWith('\xc7\x71'))
    return '; this is an old cpio format: make it with cpio -H newc';
  if (magic.startsWith('hsqs')) return '; this is a squashfs image: unpack it with unsquashfs';
  if (magic.startsWith('\x7fELF')) return '; this is a program';
  return '';
}

function start(source: ByteSource): Uint8Array {
  const head = new Uint8Array(512);
  return head.subarray(0, source.read(head, 0, 0, head.length));
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function unpack(path: string, file: HostFileSource, options: OpenOptions): Promise<HostFileSource> {
  const limit = options.maxUnpackedBytes ?? 16 * GIB;
  const [{ createGunzip }, { Readable }] = await Promise.all([import('node:zlib'), import('node:stream')]);
  const folder = mkdtempSync(join(options.tmp ?? tmpdir(), 'levitate-'));
  const name = join(folder, 'unpacked');
  const out = openSync(name, 'wx+', 0o600);
  rmSync(name);
  rmdirSync(folder);
  try {
    const output = Readable.from(pieces(file)).pipe(createGunzip());
    let size = 0;
    for await (const piece of output as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > limit) throw new ArchiveError(path, undefined, `unpacks to more than ${limit} bytes`);
      for (let at = 0; at < piece.length;) at += writeSync(out, piece, at);
    }
    file.close();
    return new HostFileSource(out);
  } catch (error) {
    closeSync(out);
    if (error instanceof ArchiveError || !String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    throw new ArchiveError(path, undefined, `damaged gzip data (${(error as Error).message})`);
  }
}

function* pieces(source: ByteSource): Iterable<Buffer> {
  for (let at = 0; at < source.size;) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const count = source.read(piece, 0, at, piece.length);
    if (count === 0) return;
    yield piece.subarray(0, count);
    at += count;
  }
}
