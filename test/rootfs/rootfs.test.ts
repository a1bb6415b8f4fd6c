// The default root filesystem: what is in it, that nothing is left out, and what users see when it cannot be built.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImage } from '../../fs/archive/image.js';
import type { Archive, ArchiveEntry } from '../../fs/archive/types.js';
import { provideRootfs } from '../../rootfs/provide.js';
import { contentOf } from '../archive/helpers.js';

const root = join(import.meta.dirname, '../..');
const command = join(root, 'dist/bin/levitate-run.cjs');

describe('the image', () => {
  let archive: Archive;
  let folder: string;
  let byPath: Map<string, ArchiveEntry>;

  beforeAll(async () => {
    folder = await provideRootfs(); // built by the test runner already
    archive = openImage(folder);
    byPath = new Map(archive.entries.map((entry) => [entry.path, entry]));
  });
  afterAll(() => archive.close());

  test('has every applet of BusyBox as a link', () => {
    const { stdout } = spawnSync(join(folder, 'busybox'), ['--list-full'], { encoding: 'utf8' });
    const applets = stdout.trim().split('\n');
    expect(applets.length).toBeGreaterThanOrEqual(390);
    for (const path of applets)
      expect([path, byPath.get(path)?.link ?? byPath.get(path)?.type]).toEqual([
        path,
        path === 'bin/busybox' ? 'file' : '/bin/busybox',
      ]);
  });

  test('has a static BusyBox, byte for byte', () => {
    const entry = byPath.get('bin/busybox')!;
    expect(contentOf(entry) === readFileSync(join(folder, 'busybox'), 'latin1')).toBe(true);
    expect([entry.mode, entry.uid, entry.gid]).toEqual([0o755, 0, 0]);
  });

  test.each<[string, string, number]>([
    ['tmp', 'dir', 0o1777],
    ['var/tmp', 'dir', 0o1777],
    ['root', 'dir', 0o700],
    ['proc', 'dir', 0o555],
    ['dev', 'dir', 0o755],
    ['etc/passwd', 'file', 0o644],
    ['etc/shadow', 'file', 0o640],
    ['etc/inittab', 'file', 0o644],
    ['', 'dir', 0o755],
  ])('/%s is a %s of mode %o', (path, type, mode) => {
    expect([byPath.get(path)?.type, byPath.get(path)?.mode]).toEqual([type, mode]);
  });

  test('has every skeleton file, and every shell and home that passwd names', () => {
    for (const entry of readdirSync(join(root, 'rootfs/skeleton'), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(join(root, 'rootfs/skeleton/').length);
      if (entry.isFile())
        expect(contentOf(byPath.get(path)!)).toBe(readFileSync(join(root, 'rootfs/skeleton', path), 'latin1'));
    }
    for (const line of contentOf(byPath.get('etc/passwd')!).trim().split('\n')) {
      const [name, , , , , home, shell] = line.split(':');
      expect([name, byPath.has(home.slice(1)), byPath.has(shell.slice(1))]).toEqual([name, true, true]);
    }
    expect(
      contentOf(byPath.get('etc/shells')!)
        .trim()
        .split('\n')
        .every((path) => byPath.has(path.slice(1))),
    ).toBe(true);
  });

  test('keeps the test suites', () => {
    for (const path of ['testsuite/runtest', 'shell/ash_test/run-all', 'scripts/echo.c'])
      expect(existsSync(join(folder, 'tests', path))).toBe(true);
  });

  test('loads quickly', () => {
    const times: number[] = [];
    for (let round = 0; round < 20; round++) {
      const start = process.hrtime.bigint();
      openImage(folder).close();
      times.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
    expect(times.sort((a, b) => a - b)[5]).toBeLessThan(10);
  });
});

describe('when it cannot be built', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'levitate-home-'));
    chmodSync(home, 0o777);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** `levitate-run --print-root` with only these programs in PATH, as an ordinary user if this is root. */
  function attempt(
    name: string,
    programs: Record<string, string>,
  ): { status: number | null; stdout: string; stderr: string } {
    const bin = join(home, `${name}-bin`);
    mkdirSync(bin);
    for (const [program, script] of Object.entries(programs)) {
      if (script === '') {
        const path = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
        symlinkSync(path, join(bin, program));
      } else writeFileSync(join(bin, program), script, { mode: 0o755 });
    }
    const cache = join(home, `${name}-cache`);
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    const ids = process.getuid!() === 0 ? { uid: 65534, gid: 65534 } : {};
    const bundle = join(home, `${name}-dist`);
    mkdirSync(join(bundle, 'dist/bin'), { recursive: true });
    // The checkout may lie where an ordinary user cannot look.
    for (const file of ['levitate-run.cjs', 'main.cjs'])
      writeFileSync(join(bundle, 'dist/bin', file), readFileSync(join(command, '..', file)));
    spawnSync('cp', ['-r', join(root, 'rootfs'), bundle]);
    const result = spawnSync(process.execPath, [join(bundle, 'dist/bin/levitate-run.cjs'), '--print-root'], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { PATH: bin, HOME: home, XDG_CACHE_HOME: cache },
      ...ids,
    });
    return { status: result.status, stdout: result.stdout, stderr: result.stderr };
  }
  const ok = '#!/bin/sh\nexit 0\n';
  const base = { flock: '', sh: '', cat: '', bash: '', mkdir: '', 'apt-get': ok, 'dpkg-query': ok };
  const tools = { gcc: ok, make: ok, 'musl-gcc': ok, 'dpkg-source': ok, 'dpkg-parsechangelog': ok, bzip2: ok, xz: ok };

  test('no Debian', () => {
    const { status, stdout, stderr } = attempt('foreign', { flock: '', sh: '', cat: '' });
    expect([status, stdout]).toEqual([125, '']);
    expect(stderr).toMatch(/^levitate-run: .*no apt-get.*--root/);
  });

  test('missing packages, not root: they are named, with the command', () => {
    const { status, stderr } = attempt('bare', base);
    expect(status).toBe(125);
    expect(stderr).toMatch(/needs gcc, make, musl-gcc, dpkg-source/);
    expect(stderr).toMatch(/apt-get install -y --no-install-recommends gcc .*musl-tools .*dpkg-dev/);
    expect(stderr).toContain('--root');
  });

  test('no network: the end of the log, where all of it is, and the remedy', () => {
    const broken = "#!/bin/sh\necho 'E: Failed to fetch http://mirror/ Could not connect' >&2\nexit 100\n";
    const { status, stderr } = attempt('offline', {
      ...base,
      ...tools,
      ln: '',
      sed: '',
      sort: '',
      nproc: '',
      'apt-get': broken,
    });
    expect(status).toBe(125);
    expect(stderr).toMatch(/failed while fetching its source from the Debian mirror:\n {2}[^]*Could not connect/);
    expect(stderr).toMatch(/The whole log is .*build\.log\. The Debian mirror must be reachable; or use --root/);
    expect(readdirSync(join(home, 'offline-cache/levitate/rootfs')).filter((name) => name.startsWith('tmp-'))).toEqual(
      [],
    );
  });

  test('a cache that cannot be written', () => {
    const bin = join(home, 'foreign-bin');
    const { status, stderr } = spawnSync(process.execPath, [command, '--print-root'], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { PATH: bin, HOME: '/proc/nowhere' },
    });
    expect(status).toBe(125);
    expect(stderr).toMatch(/cache folder .* cannot be written \(E\w+\): set XDG_CACHE_HOME, or use --root/);
  });
});

test('the packages script knows every package and finds them here', () => {
  const { status, stdout } = spawnSync('bash', [join(root, 'rootfs/install-packages.sh'), 'build', 'rootfs'], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([0, 'install-packages: everything is installed\n']);
});
