/** Programs that the host's strace records for the replay tests: a line of shell each, in an empty folder. */

export interface Recorded {
  readonly name: string;
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** Calls whose difference is explained, and why. */
  readonly ignore?: Readonly<Record<string, string>>;
}

const busybox = (command: string): Recorded => ({
  name: `busybox: ${command}`,
  argv: ['busybox', 'sh', '-c', command],
});
const applet = (...argv: string[]): Recorded => ({ name: `busybox ${argv.join(' ')}`, argv: ['busybox', ...argv] });
const dash = (command: string): Recorded => ({ name: `dash: ${command}`, argv: ['dash', '-c', command] });
const sqlite = (statements: string): Recorded => ({
  name: `sqlite3: ${statements}`,
  argv: ['sqlite3', 'x.db', statements],
});
const lua = (program: string): Recorded => ({ name: `lua: ${program}`, argv: ['lua5.4', '-e', program] });
const git = (...argv: string[]): Recorded => ({
  name: `git ${argv.join(' ')}`,
  argv: ['git', '-c', 'init.defaultBranch=main', '-c', 'user.name=x', '-c', 'user.email=x@x', ...argv],
});
const python = (program: string): Recorded => ({
  name: `python3: ${program}`,
  argv: ['/usr/bin/python3', '-c', program],
});

export const RECORDED: readonly Recorded[] = [
  busybox('ls /etc | head -3; echo hi > x; cat x'),
  busybox('seq 1000 | sort -n | tail -1; mkdir d; echo x > d/f; ln -s f d/l; cat d/l; rm -r d'),
  busybox('i=0; while [ $i -lt 20 ]; do i=$((i+1)); done; echo $i'),
  busybox('trap "echo got" USR1; kill -USR1 $$; echo end'),
  busybox('sleep 0.1 & sleep 0.2 & wait; echo done'),
  busybox('(exit 3); echo $?; false || true'),
  busybox('read a b; echo "$b $a"'),
  applet('find', '/usr/share/keyrings'),
  applet('sort', '/etc/passwd'),
  applet('wc', '/etc/passwd', '/etc/group'),
  applet('cp', '/etc/passwd', 'copy'),
  applet('mkdir', '-p', 'a/b/c'),
  applet('touch', 'file'),
  applet('grep', '-c', 'root', '/etc/passwd'),
  applet('sed', 's/root/toor/', '/etc/passwd'),
  applet('awk', '-F:', '{ n += $3 } END { print n }', '/etc/passwd'),
  applet('md5sum', '/etc/passwd'),
  applet('gzip', '-c', '/etc/passwd'),
  applet('tar', 'cf', 'x.tar', '/etc/hostname'),
  applet('cat', '/nonexistent'),
  applet('du', '/usr/share/keyrings'),
  applet('stat', '/etc/passwd'),
  applet('readlink', '/proc/self/exe'),
  applet('dd', 'if=/dev/zero', 'of=zeros', 'bs=1k', 'count=16'),
  applet('xargs', '-n', '1', 'echo'),
  applet('timeout', '1', 'true'),
  applet('env', 'A=1', 'printenv', 'A'),
  dash('for i in 1 2 3; do echo $i; done | while read x; do echo got $x; done'),
  dash('trap "echo t" TERM; kill -TERM $$; echo end'),
  dash('exec 3>f; echo a >&3; exec 3>&-; cat < f; rm f'),
  dash('cd /tmp && pwd; umask 077; : > /dev/null'),
  dash('sleep 0.05 & p=$!; wait $p; echo $?'),
  sqlite('create table t(a,b); insert into t values(1,2),(3,4); select sum(b) from t;'),
  sqlite('create table t(a); begin; insert into t values(1); rollback; select count(*) from t;'),
  lua('print(1+1)'),
  lua(
    'local f=io.open("o","w"); for i=1,100 do f:write(i,"\\n") end f:close() for l in io.lines("o") do s=(s or 0)+l end print(s)',
  ),
  lua('os.execute("echo hi"); print(io.popen("echo x"):read("a")); os.rename("a","b")'),
  git('init', '-q', '.'),
  git('--version'),
  git('config', '--list', '--show-origin'),
  git('hash-object', '/etc/passwd'),
  python('print("hi")'),
  python('import os; os.mkdir("d"); open("d/f","w").write("x"); print(os.listdir("d")); os.unlink("d/f")'),
  python('import subprocess; print(subprocess.run(["echo","hi"],capture_output=True).stdout)'),
  python('import threading; t=threading.Thread(target=lambda: print("thread")); t.start(); t.join()'),
  python('import socket; a,b=socket.socketpair(); a.send(b"xx"); print(b.recv(9))'),
  python(
    'import signal,os; signal.signal(signal.SIGUSR1, lambda *a: print("got")); os.kill(os.getpid(), signal.SIGUSR1)',
  ),
  python('import select,os; r,w=os.pipe(); os.write(w,b"x"); print(select.select([r],[],[],1)[0]==[r])'),
];
