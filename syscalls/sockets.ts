/**
 * socket(2) to recvmmsg(2).
 */
import {
  absent,
  buffer,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  int,
  msghdr,
  size,
  sockaddr,
  struct,
  uint,
  word,
  type Row,
} from './row.js';

export const rows: readonly Row[] = [
  absent(
    'socket',
    { x86_64: 41, aarch64: 198 },
    [
      enumeration('domain', 'addrfams'),
      dynamic('type', 'socket_type', 'uint'),
      dynamic('protocol', 'socket_protocol', 'int'),
    ],
    { ret: 'fd', classes: ['network'] },
  ),
  absent(
    'socketpair',
    { x86_64: 53, aarch64: 199 },
    [
      enumeration('domain', 'addrfams'),
      dynamic('type', 'socket_type', 'uint'),
      dynamic('protocol', 'socket_protocol', 'int'),
      word('sv', 'out', 'fdpair'),
    ],
    { ret: 'zero', classes: ['network'] },
  ),
  absent(
    'bind',
    { x86_64: 49, aarch64: 200 },
    [fd('sockfd'), sockaddr('addr', 'in', { arg: 'addrlen' }), int('addrlen')],
    { ret: 'zero', classes: ['network'] },
  ),
  absent(
    'connect',
    { x86_64: 42, aarch64: 203 },
    [fd('sockfd'), sockaddr('addr', 'in', { arg: 'addrlen' }), int('addrlen')],
    { ret: 'zero', classes: ['network'] },
  ),
  absent('listen', { x86_64: 50, aarch64: 201 }, [fd('sockfd'), int('backlog')], { ret: 'zero', classes: ['network'] }),
  absent(
    'accept',
    { x86_64: 43, aarch64: 202 },
    [fd('sockfd'), sockaddr('addr', 'out', { arg: 'addrlen' }), dynamic('addrlen', 'sockaddr_len')],
    { ret: 'fd', classes: ['network'] },
  ),
  absent(
    'accept4',
    { x86_64: 288, aarch64: 242 },
    [
      fd('sockfd'),
      sockaddr('addr', 'out', { arg: 'addrlen' }),
      dynamic('addrlen', 'sockaddr_len'),
      flags('flags', 'sock_type_flags'),
    ],
    { ret: 'fd', classes: ['network'] },
  ),
  absent(
    'getsockname',
    { x86_64: 51, aarch64: 204 },
    [fd('sockfd'), sockaddr('addr', 'out', { arg: 'addrlen' }), dynamic('addrlen', 'sockaddr_len')],
    { ret: 'zero', classes: ['network'] },
  ),
  absent(
    'getpeername',
    { x86_64: 52, aarch64: 205 },
    [fd('sockfd'), sockaddr('addr', 'out', { arg: 'addrlen' }), dynamic('addrlen', 'sockaddr_len')],
    { ret: 'zero', classes: ['network'] },
  ),
  absent(
    'sendto',
    { x86_64: 44, aarch64: 206 },
    [
      fd('sockfd'),
      buffer('buf', 'in', { arg: 'len' }),
      size('len'),
      flags('flags', 'msg_flags'),
      sockaddr('dest_addr', 'in', { arg: 'addrlen' }),
      int('addrlen'),
    ],
    { ret: 'size', classes: ['network'] },
  ),
  absent(
    'recvfrom',
    { x86_64: 45, aarch64: 207 },
    [
      fd('sockfd'),
      buffer('buf', 'out', 'ret'),
      size('len'),
      flags('flags', 'msg_flags'),
      sockaddr('src_addr', 'out', { arg: 'addrlen' }),
      dynamic('addrlen', 'sockaddr_len'),
    ],
    { ret: 'size', classes: ['network'] },
  ),
  absent('sendmsg', { x86_64: 46, aarch64: 211 }, [fd('sockfd'), msghdr('msg', 'in'), flags('flags', 'msg_flags')], {
    ret: 'size',
    classes: ['network'],
  }),
  absent('recvmsg', { x86_64: 47, aarch64: 212 }, [fd('sockfd'), msghdr('msg', 'out'), flags('flags', 'msg_flags')], {
    ret: 'size',
    classes: ['network'],
  }),
  absent(
    'sendmmsg',
    { x86_64: 307, aarch64: 269 },
    [fd('sockfd'), dynamic('msgvec', 'mmsghdrs'), uint('vlen'), flags('flags', 'msg_flags')],
    { classes: ['network'] },
  ),
  absent(
    'recvmmsg',
    { x86_64: 299, aarch64: 243 },
    [
      fd('sockfd'),
      dynamic('msgvec', 'mmsghdrs'),
      uint('vlen'),
      flags('flags', 'msg_flags'),
      struct('timeout', 'in', 'timespec'),
    ],
    { ret: 'dynamic', classes: ['network'] },
  ),
  absent('shutdown', { x86_64: 48, aarch64: 210 }, [fd('sockfd'), enumeration('how', 'shutdown_modes')], {
    ret: 'zero',
    classes: ['network'],
  }),
  absent(
    'setsockopt',
    { x86_64: 54, aarch64: 208 },
    [
      fd('sockfd'),
      enumeration('level', 'socketlayers'),
      dynamic('optname', 'sockopt_name', 'int'),
      dynamic('optval', 'sockopt_set'),
      int('optlen'),
    ],
    { ret: 'zero', classes: ['network'] },
  ),
  absent(
    'getsockopt',
    { x86_64: 55, aarch64: 209 },
    [
      fd('sockfd'),
      enumeration('level', 'socketlayers'),
      dynamic('optname', 'sockopt_name', 'int'),
      dynamic('optval', 'sockopt_get'),
      word('optlen', 'inout', 'int'),
    ],
    { ret: 'zero', classes: ['network'] },
  ),
  absent('getpmsg', { x86_64: 181 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {
    classes: ['network'],
  }),
  absent('putpmsg', { x86_64: 182 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {
    classes: ['network'],
  }),
];
