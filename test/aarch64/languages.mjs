/** Static programs of other languages' run-time systems, cross-built from guest/ and kept in the cache. */
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { must, output } from './programs.mjs';
import { rustLibrary } from './system.mjs';

const sources = join(import.meta.dirname, 'guest');
const LINKER = 'aarch64-linux-gnu-gcc';
/** Debian's, which has the version of the library that is fetched; another may come first in PATH. */
const RUSTC = '/usr/bin/rustc';

const PROGRAMS = {
  go: {
    source: 'program.go',
    build(source, to, scratch) {
      const env = { ...process.env, GOARCH: 'arm64', CGO_ENABLED: '0', GO111MODULE: 'off', GOFLAGS: '' };
      Object.assign(env, { GOCACHE: join(scratch, 'go-cache'), GOPATH: join(scratch, 'go') });
      must('go', ['build', '-trimpath', '-o', to, source], { env });
    },
  },
  rust: {
    source: 'program.rs',
    build(source, to, scratch, cache) {
      const version = /^rustc (\S+)/.exec(output(RUSTC, ['--version']))[1];
      const words = ['--edition', '2021', '--target', 'aarch64-unknown-linux-gnu', '-O', '-o', to, source];
      const linked = ['-C', 'target-feature=+crt-static', '-C', `linker=${LINKER}`];
      must(RUSTC, ['--sysroot', rustLibrary(cache, version), ...linked, ...words]);
    },
  },
  threads: {
    source: 'threads.c',
    build: (source, to) => must(LINKER, ['-O2', '-static', '-pthread', '-o', to, source]),
  },
};

/** Copies all of them into `folder`. */
export function provideLanguages(cache, folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, { source, build }] of Object.entries(PROGRAMS)) {
    const path = join(sources, source);
    const kept = cached(cache, name, [readFileSync(path, 'utf8')], (scratch) => {
      build(path, join(scratch, name), scratch, cache);
      for (const rest of readdirSync(scratch))
        if (rest !== name) rmSync(join(scratch, rest), { recursive: true, force: true });
    });
    cpSync(join(kept, name), join(folder, name));
  }
}
