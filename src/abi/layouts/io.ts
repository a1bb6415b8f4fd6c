/** File I/O and multiplexing: iovec, poll, epoll, locks, inotify, futex words, AIO. */
import { struct } from '../layout.js';

export const IOVEC = struct('iovec', { iov_base: 'u64', iov_len: 'u64' });
export const POLLFD = struct('pollfd', { fd: 'i32', events: 'i16', revents: 'i16' });
/** Packed on x86_64 only, so that it matches the 32-bit one there. */
export const EPOLL_EVENT = {
  x86_64: struct('epoll_event', { events: 'u32', data: 'u64' }, { packed: true }),
  aarch64: struct('epoll_event', { events: 'u32', data: 'u64' }),
} as const;
export const FLOCK = struct('flock', { l_type: 'i16', l_whence: 'i16', l_start: 'i64', l_len: 'i64', l_pid: 'i32' });
export const F_OWNER_EX = struct('f_owner_ex', { type: 'i32', pid: 'i32' });
export const INOTIFY_EVENT = struct('inotify_event', {
  wd: 'i32',
  mask: 'u32',
  cookie: 'u32',
  len: 'u32',
  name: ['u8', 0],
});
export const IOCB = struct('iocb', {
  aio_data: 'u64',
  aio_key: 'u32',
  aio_rw_flags: 'i32',
  aio_lio_opcode: 'u16',
  aio_reqprio: 'i16',
  aio_fildes: 'u32',
  aio_buf: 'u64',
  aio_nbytes: 'u64',
  aio_offset: 'i64',
  aio_reserved2: 'u64',
  aio_flags: 'u32',
  aio_resfd: 'u32',
});
export const IO_EVENT = struct('io_event', { data: 'u64', obj: 'u64', res: 'i64', res2: 'i64' });
export const IO_URING_PARAMS = struct(
  'io_uring_params',
  {
    sq_entries: 'u32',
    cq_entries: 'u32',
    flags: 'u32',
    sq_thread_cpu: 'u32',
    sq_thread_idle: 'u32',
    features: 'u32',
    wq_fd: 'u32',
    resv: ['u32', 3],
  },
  { size: 120, align: 8 },
);
export const FUTEX_WAITV = struct('futex_waitv', { val: 'u64', uaddr: 'u64', flags: 'u32', __reserved: 'u32' });
export const ROBUST_LIST_HEAD = struct('robust_list_head', {
  list: 'u64',
  futex_offset: 'i64',
  list_op_pending: 'u64',
});
