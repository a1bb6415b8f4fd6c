/** `--user USER[:GROUP]`: names of the guest's /etc/passwd and /etc/group, or numbers (as docker run --user). */
import { loginCredentials, type Credentials } from '../../sched/credentials.js';

export interface Login {
  creds: Credentials;
  name: string;
  home: string;
  shell: string;
}

export class UnknownUser extends Error {
  override readonly name = 'UnknownUser';
}

/** `read` gives a guest file's text, or null when it is missing. */
export function login(spec: string | undefined, read: (path: string) => string | null): Login {
  const [user, group] = (spec ?? 'root').split(':', 2);
  const passwd = (read('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'));
  const groups = (read('/etc/group') ?? '').split('\n').map((line) => line.split(':'));
  const entry = passwd.find((fields) => fields[0] === user || fields[2] === user);
  const isNumber = /^\d+$/.test(user);
  if (entry === undefined && !isNumber && user !== 'root')
    throw new UnknownUser(`no user "${user}" in the guest's /etc/passwd`);
  const uid = entry === undefined ? Number(isNumber ? user : 0) : Number(entry[2]);
  let gid = entry === undefined ? uid : Number(entry[3]);
  if (group !== undefined) {
    const found = groups.find((fields) => fields[0] === group || fields[2] === group);
    if (found === undefined && !/^\d+$/.test(group))
      throw new UnknownUser(`no group "${group}" in the guest's /etc/group`);
    gid = found === undefined ? Number(group) : Number(found[2]);
  }
  const name = entry?.[0] ?? user;
  const extra = groups
    .filter((fields) => (fields[3] ?? '').split(',').includes(name))
    .map((fields) => Number(fields[2]));
  return {
    creds: loginCredentials(
      uid,
      gid,
      [...new Set(extra)].filter((id) => id !== gid),
    ),
    name,
    home: entry?.[5] ?? '/',
    shell: entry?.[6] ?? '/bin/sh',
  };
}
