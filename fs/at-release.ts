/**
 * Callbacks for the moment the last reference to an open file goes: epoll entries and locks of it end then.
 *
 * Only files that have a callback pay: the first one puts a release of its own in front of the class's.
 */
import type { OpenFile } from './file.js';

declare module './file.js' {
  interface OpenFile {
    releaseCallbacks?: Set<() => void>;
  }
}

export function atRelease(file: OpenFile, callback: () => void): void {
  if (file.releaseCallbacks === undefined) {
    const callbacks = (file.releaseCallbacks = new Set());
    file.release = () => {
      for (const each of [...callbacks]) each();
      (Object.getPrototypeOf(file) as OpenFile).release.call(file);
    };
  }
  file.releaseCallbacks.add(callback);
}

export function cancelAtRelease(file: OpenFile, callback: () => void): void {
  file.releaseCallbacks?.delete(callback);
}
