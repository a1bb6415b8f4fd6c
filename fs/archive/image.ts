/**
 * levitate's own root filesystem image: a folder with an index (`levitate-image.json`) and one file of contents (`data`).
 *
 * Made for start-up: the index of a few hundred entries loads in about a millisecond, contents are read on first use.
 * Contents start at page boundaries, so that whole pages can be read or mapped. The index is latin1 text, one char per
 * byte of a name; entries are arrays: [path, type, mode, uid, gid, mtimeSec, mtimeNsec, ...], followed by
 * [offset, size] of a file, [target] of a link, [major, minor] of a device.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { HostFileSource, SliceContent } from './source.js';
import { ArchiveError, type Archive, type ArchiveEntry, type EntryType } from './types.js';

const MAGIC = 'levitate-image';
const VERSION = 1;
export const IMAGE_INDEX = 'levitate-image.json';
const DATA = 'data';
const ALIGN = 4096;
const COPY_BYTES = 1 << 20;

const TYPES: Record<string, EntryType> = {
  f: 'file',
  d: 'dir',
  l: 'symlink',
  h: 'hardlink',
  c: 'char',
  b: 'block',
  p: 'fifo',
};

type Row = [string, string, number, number, number, number, number, ...(number | string)[]];

interface Index {
  magic: string;
  version: number;
  dataSize: number;
  entries: Row[];
}

/** Loads an image's index. Throws ArchiveError if the folder holds no intact image. */
export function openImage(folder: string): Archive {
  let index: Index;
  try {
    index = JSON.parse(readFileSync(`${folder}/${IMAGE_INDEX}`, 'latin1')) as Index;
  } catch (error) {
    throw new ArchiveError(folder, undefined, `no readable image index (${(error as Error).message})`);
  }
  if (index?.magic !== MAGIC || index.version !== VERSION || !Array.isArray(index.entries)) {
    throw new ArchiveError(folder, undefined, 'not a levitate image of this version');
  }
  const source = new HostFileSource(`${folder}/${DATA}`);
  if (source.size !== index.dataSize) {
    source.close();
    throw new ArchiveError(folder, source.size, `the data file has ${source.size} bytes instead of ${index.dataSize}`);
  }
  const entries = index.entries.map((row) => decode(row, source));
  return { format: 'image', name: folder, entries, warnings: [], close: () => source.close() };
}

function decode(row: Row, source: HostFileSource): ArchiveEntry {
  const [path, letter, mode, uid, gid, mtimeSec, mtimeNsec, first, second] = row;
  const entry: ArchiveEntry = { path, type: TYPES[letter], mode, uid, gid, mtimeSec, mtimeNsec, size: 0 };
  switch (letter) {
    case 'f':
      entry.size = second as number;
      entry.data = new SliceContent(source, first as number, entry.size);
      break;
    case 'l':
      entry.link = first as string;
      entry.size = entry.link.length;
      break;
    case 'h':
      entry.link = first as string;
      break;
    case 'c':
    case 'b':
      entry.rdevMajor = first as number;
      entry.rdevMinor = second as number;
  }
  return entry;
}

/** Writes an image of these entries (clean: see types.ts) into an existing folder. */
export function writeImage(folder: string, entries: Iterable<ArchiveEntry>): void {
  const fd = openSync(`${folder}/${DATA}`, 'w', 0o644);
  const rows: Row[] = [];
  let end = 0;
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    for (const entry of entries) {
      const row: Row = [
        entry.path,
        letterOf(entry.type),
        entry.mode,
        entry.uid,
        entry.gid,
        entry.mtimeSec,
        entry.mtimeNsec,
      ];
      if (entry.type === 'file') {
        const start = Math.ceil(end / ALIGN) * ALIGN;
        let done = 0;
        while (entry.data && done < entry.data.size) {
          const count = entry.data.read(buffer, 0, done, Math.min(buffer.length, entry.data.size - done));
          if (count === 0) break;
          for (let at = 0; at < count;) at += writeSync(fd, buffer, at, count - at, start + done + at);
          done += count;
        }
        row.push(done === 0 ? 0 : start, done);
        if (done > 0) end = start + done;
      } else if (entry.type === 'symlink' || entry.type === 'hardlink') row.push(entry.link!);
      else if (entry.type === 'char' || entry.type === 'block') row.push(entry.rdevMajor ?? 0, entry.rdevMinor ?? 0);
      rows.push(row);
    }
  } finally {
    closeSync(fd);
  }
  const index: Index = { magic: MAGIC, version: VERSION, dataSize: end, entries: rows };
  writeFileSync(`${folder}/${IMAGE_INDEX}`, JSON.stringify(index), { encoding: 'latin1', mode: 0o644 });
}

function letterOf(type: EntryType): string {
  return Object.keys(TYPES).find((letter) => TYPES[letter] === type)!;
}
