/**
 * Keyrings: keyctl(2).
 */
import { absent, buffer, dynamic, enumeration, size, string, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'add_key',
    { x86_64: 248, aarch64: 217 },
    [
      string('type', 'key'),
      string('description', 'key'),
      buffer('payload', 'in', { arg: 'plen' }),
      size('plen'),
      dynamic('keyring', 'keyring', 'int'),
    ],
    {},
  ),
  absent(
    'request_key',
    { x86_64: 249, aarch64: 218 },
    [
      string('type', 'key'),
      string('description', 'key'),
      string('callout_info', 'key'),
      dynamic('dest_keyring', 'keyring', 'int'),
    ],
    {},
  ),
  absent(
    'keyctl',
    { x86_64: 250, aarch64: 219 },
    [
      enumeration('operation', 'keyctl_commands'),
      dynamic('arg2', 'keyctl_arg'),
      dynamic('arg3', 'keyctl_arg'),
      dynamic('arg4', 'keyctl_arg'),
      dynamic('arg5', 'keyctl_arg'),
    ],
    {},
  ),
];
