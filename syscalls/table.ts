/**
 * The table: every row of every area, once.
 *
 * Adding a file here is all it takes to add an area. The dispatcher (dispatch.ts), strace text, the coverage page and the
 * tests read this list; nothing keeps a second one.
 */
import { rows as open } from './open.js';
import { rows as readwrite } from './readwrite.js';
import { rows as descriptors } from './descriptors.js';
import { rows as stat } from './stat.js';
import { rows as directories } from './directories.js';
import { rows as links } from './links.js';
import { rows as attributes } from './attributes.js';
import { rows as xattr } from './xattr.js';
import { rows as mount } from './mount.js';
import { rows as poll } from './poll.js';
import { rows as epoll } from './epoll.js';
import { rows as eventfd } from './eventfd.js';
import { rows as pipe } from './pipe.js';
import { rows as memory } from './memory.js';
import { rows as process } from './process.js';
import { rows as exec } from './exec.js';
import { rows as wait } from './wait.js';
import { rows as identity } from './identity.js';
import { rows as session } from './session.js';
import { rows as signals } from './signals.js';
import { rows as time } from './time.js';
import { rows as timers } from './timers.js';
import { rows as futex } from './futex.js';
import { rows as scheduling } from './scheduling.js';
import { rows as limits } from './limits.js';
import { rows as system } from './system.js';
import { rows as sockets } from './sockets.js';
import { rows as sysv } from './sysv.js';
import { rows as mqueue } from './mqueue.js';
import { rows as inotify } from './inotify.js';
import { rows as aio } from './aio.js';
import { rows as keys } from './keys.js';
import { rows as modules } from './modules.js';
import { rows as tracing } from './tracing.js';
import type { Row } from './row.js';

/** Every row, by area. */
export const AREAS: Readonly<Record<string, readonly Row[]>> = {
  open,
  readwrite,
  descriptors,
  stat,
  directories,
  links,
  attributes,
  xattr,
  mount,
  poll,
  epoll,
  eventfd,
  pipe,
  memory,
  process,
  exec,
  wait,
  identity,
  session,
  signals,
  time,
  timers,
  futex,
  scheduling,
  limits,
  system,
  sockets,
  sysv,
  mqueue,
  inotify,
  aio,
  keys,
  modules,
  tracing,
};

export const ROWS: readonly Row[] = Object.values(AREAS).flat();
