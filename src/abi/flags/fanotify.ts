/**
 * fanotify(7).
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const FAN_CLASS_NOTIF = 0;
export const FAN_CLASS_CONTENT = 4;
export const FAN_CLASS_PRE_CONTENT = 8;
export const FAN_CLOEXEC = 1;
export const FAN_NONBLOCK = 2;
export const FAN_UNLIMITED_QUEUE = 0x10;
export const FAN_UNLIMITED_MARKS = 0x20;
export const FAN_ENABLE_AUDIT = 0x40;
export const FAN_REPORT_PIDFD = 0x80;
export const FAN_REPORT_TID = 0x100;
export const FAN_REPORT_FID = 0x200;
export const FAN_REPORT_DIR_FID = 0x400;
export const FAN_REPORT_NAME = 0x800;
export const FAN_REPORT_TARGET_FID = 0x1000;
export const FAN_MARK_ADD = 1;
export const FAN_MARK_REMOVE = 2;
export const FAN_MARK_DONT_FOLLOW = 4;
export const FAN_MARK_ONLYDIR = 8;
export const FAN_MARK_MOUNT = 0x10;
export const FAN_MARK_IGNORED_MASK = 0x20;
export const FAN_MARK_IGNORED_SURV_MODIFY = 0x40;
export const FAN_MARK_FLUSH = 0x80;
export const FAN_MARK_FILESYSTEM = 0x100;
export const FAN_MARK_EVICTABLE = 0x200;
export const FAN_MARK_IGNORE = 0x400;
export const FAN_ACCESS = 1;
export const FAN_MODIFY = 2;
export const FAN_ATTRIB = 4;
export const FAN_CLOSE_WRITE = 8;
export const FAN_CLOSE_NOWRITE = 0x10;
export const FAN_OPEN = 0x20;
export const FAN_MOVED_FROM = 0x40;
export const FAN_MOVED_TO = 0x80;
export const FAN_CREATE = 0x100;
export const FAN_DELETE = 0x200;
export const FAN_DELETE_SELF = 0x400;
export const FAN_MOVE_SELF = 0x800;
export const FAN_OPEN_EXEC = 0x1000;
export const FAN_Q_OVERFLOW = 0x4000;
export const FAN_FS_ERROR = 0x8000;
export const FAN_OPEN_PERM = 0x10000;
export const FAN_ACCESS_PERM = 0x20000;
export const FAN_OPEN_EXEC_PERM = 0x40000;
export const FAN_DIR_MODIFY = 0x80000;
export const FAN_ONDIR = 0x40000000;
export const FAN_EVENT_ON_CHILD = 0x8000000;
export const FAN_RENAME = 0x10000000;

/** strace: fan_classes. */
export const fan_classes = flagSet('FAN_CLASS_???', { FAN_CLASS_NOTIF, FAN_CLASS_CONTENT, FAN_CLASS_PRE_CONTENT });

/** strace: fan_init_flags. */
export const fan_init_flags = flagSet('FAN_???', {
  FAN_CLOEXEC,
  FAN_NONBLOCK,
  FAN_UNLIMITED_QUEUE,
  FAN_UNLIMITED_MARKS,
  FAN_ENABLE_AUDIT,
  FAN_REPORT_PIDFD,
  FAN_REPORT_TID,
  FAN_REPORT_FID,
  FAN_REPORT_DIR_FID,
  FAN_REPORT_NAME,
  FAN_REPORT_TARGET_FID,
});

/** strace: fan_mark_flags. */
export const fan_mark_flags = flagSet('FAN_MARK_???', {
  FAN_MARK_ADD,
  FAN_MARK_REMOVE,
  FAN_MARK_DONT_FOLLOW,
  FAN_MARK_ONLYDIR,
  FAN_MARK_MOUNT,
  FAN_MARK_IGNORED_MASK,
  FAN_MARK_IGNORED_SURV_MODIFY,
  FAN_MARK_FLUSH,
  FAN_MARK_FILESYSTEM,
  FAN_MARK_EVICTABLE,
  FAN_MARK_IGNORE,
});

/** strace: fan_event_flags. */
export const fan_event_flags = flagSet('FAN_???', {
  FAN_ACCESS,
  FAN_MODIFY,
  FAN_ATTRIB,
  FAN_CLOSE_WRITE,
  FAN_CLOSE_NOWRITE,
  FAN_OPEN,
  FAN_MOVED_FROM,
  FAN_MOVED_TO,
  FAN_CREATE,
  FAN_DELETE,
  FAN_DELETE_SELF,
  FAN_MOVE_SELF,
  FAN_OPEN_EXEC,
  FAN_Q_OVERFLOW,
  FAN_FS_ERROR,
  FAN_OPEN_PERM,
  FAN_ACCESS_PERM,
  FAN_OPEN_EXEC_PERM,
  FAN_DIR_MODIFY,
  FAN_ONDIR,
  FAN_EVENT_ON_CHILD,
  FAN_RENAME,
});
