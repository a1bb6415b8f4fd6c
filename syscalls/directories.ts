/**
 * Directories: getdents(2), mkdir(2), rmdir(2), chdir(2), chroot(2), getcwd(2).
 */
import { absent, addr, buffer, dirfd, dynamic, fd, hex, mode, path, size, uint, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('getdents', { x86_64: 78 }, [fd('fd'), dynamic('dirp', 'dirents'), uint('count')], {
    ret: 'size',
    classes: ['desc'],
  }),
  absent('getdents64', { x86_64: 217, aarch64: 61 }, [fd('fd'), dynamic('dirp', 'dirents64'), uint('count')], {
    ret: 'size',
    classes: ['desc'],
  }),
  absent('mkdir', { x86_64: 83 }, [path('pathname'), mode('mode')], { ret: 'zero', classes: ['file'] }),
  absent('mkdirat', { x86_64: 258, aarch64: 34 }, [dirfd('dirfd'), path('pathname'), mode('mode')], {
    ret: 'zero',
    classes: ['desc', 'file'],
  }),
  absent('rmdir', { x86_64: 84 }, [path('pathname')], { ret: 'zero', classes: ['file'] }),
  absent('chdir', { x86_64: 80, aarch64: 49 }, [path('path')], { ret: 'zero', classes: ['file'] }),
  absent('fchdir', { x86_64: 81, aarch64: 50 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }),
  absent('chroot', { x86_64: 161, aarch64: 51 }, [path('path')], { ret: 'zero', classes: ['file'] }),
  absent('getcwd', { x86_64: 79, aarch64: 17 }, [buffer('buf', 'out', 'ret'), size('size')], {
    ret: 'size',
    classes: ['file'],
  }),
  absent('lookup_dcookie', { x86_64: 212, aarch64: 18 }, [hex('cookie'), addr('buffer'), size('len')], {}),
];
