/** O_PATH files: a place held by a descriptor. Every operation on the content is EBADF (open(2)). */
import { EBADF, errno } from '../src/abi/errno.js';
import type { FileMapping } from '../src/mm/file-mapping.js';
import { OpenFile } from './file.js';
import { POLLNVAL } from './poll-events.js';

export class PathFile extends OpenFile {
  override read(): number {
    throw errno(EBADF);
  }
  override write(): number {
    throw errno(EBADF);
  }
  override seek(): number {
    throw errno(EBADF);
  }
  override poll(): number {
    return POLLNVAL;
  }
  override ioctl(): number {
    throw errno(EBADF);
  }
  override mapping(): FileMapping {
    throw errno(EBADF);
  }
}
