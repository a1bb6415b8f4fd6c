/**
 * Guests of the gate's tests: C programs (guest/*.c or given text) that run on the host, with every call a stop, and with the
 * gate. What a program prints must not depend on that.
 */
import { expect } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { compile, LEVITATE, Run, scratch, type Ending } from '../e2e/leaks.js';
import { SLOWNESS } from '../support/pace.js';
import { PAGE } from '../support/script.js';

/** Whether there is a gate here at all: it is for two CPUs. */
export const GATED = availableParallelism() > 1;
export const ON_X86 = process.arch === 'x64';

export const HEADERS = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\\n", __LINE__, #what, errno); fflush(stdout); _exit(99); } } while (0)
`;

/** A path in the guest's root, as the host knows it. */
const inRoot = (path: string): string => scratch(join('root', path));

/** Compiles C text into the guest's root; its path there. */
export function program(name: string, source: string, ...flags: string[]): string {
  mkdirSync(inRoot('tmp'), { recursive: true });
  compile(`${HEADERS}\n${source}`, `root/${name}`, ['-w', '-pthread', ...flags]);
  return `/${name}`;
}
const GUESTS = join(import.meta.dirname, 'guest');
const source = (name: string): string => readFileSync(join(GUESTS, `${name}.c`), 'utf8');
/** The same for guest/NAME.c. */
export function guestProgram(name: string, ...flags: string[]): string {
  mkdirSync(inRoot('tmp'), { recursive: true });
  compile(source(name), `root/${name}`, [
    '-w',
    '-pthread',
    '-I',
    GUESTS,
    `-DSLOWNESS=${SLOWNESS}`,
    `-DPAGE=${PAGE}`,
    ...flags,
  ]);
  return `/${name}`;
}
/** The same with the host's libc, and loaded high in memory. */
export function highProgram(name: string): string {
  mkdirSync(inRoot('tmp'), { recursive: true });
  const words = [
    '-x',
    'c',
    '-O1',
    '-w',
    '-pthread',
    '-I',
    GUESTS,
    '-fPIE',
    '-static-pie',
    '-o',
    inRoot(`${name}-high`),
    '-',
  ];
  execFileSync('gcc', words, { input: source(name) });
  return `/${name}-high`;
}

/** A slow machine's supervisor and guests wait longer for one another. */
const POLL = SLOWNESS === 1 ? 'poll' : `poll:${SLOWNESS * 100}`;

/** 'polled': with the gate, and calls are handed over whether that pays or not. */
export type Mode = 'native' | 'stops' | 'gate' | 'polled';

export interface Outcome extends Ending {
  /** Calls handed over, and sites rewritten. */
  handedOver: number;
  rewritten: number;
  /** What --report says of the sites that stayed slow. */
  slow: string;
  /** The CHECK that failed in the guest. */
  check: string;
}

/** How a program is started, for those who want to do more with it than wait. */
export function start(mode: Mode, options: readonly string[], path: string, ...args: string[]): Run {
  if (mode === 'native') return new Run([inRoot(path), ...args]);
  const gate = mode === 'stops' ? '--no-gate' : '--gate';
  const env: Record<string, string> = mode === 'polled' ? { LEVITATE_GATE: POLL } : {};
  return new Run([...LEVITATE, '--root', scratch('root'), gate, '--report', ...options, path, ...args], { env });
}

export async function outcome(run: Run): Promise<Outcome> {
  const ending = await run.ended;
  const counts = /gate: (\d+) calls handed over, (\d+) sites rewritten/.exec(ending.stderr);
  // What --report says is no complaint.
  const stderr = ending.stderr.replace(/^levitate-run: (every system call|system calls refused|gate:)[^]*/m, '');
  const slow = /^system call sites that stayed slow:\n([^]*)/m.exec(ending.stderr)?.[1] ?? '';
  const check = /^line \d+: .*/m.exec(ending.stdout)?.[0] ?? '';
  return { ...ending, check, stderr, handedOver: Number(counts?.[1] ?? 0), rewritten: Number(counts?.[2] ?? 0), slow };
}

export function run(mode: Mode, path: string, ...args: string[]): Promise<Outcome> {
  return outcome(start(mode, ['--timeout', `${25 * SLOWNESS}s`], path, ...args));
}

/**
 * Runs a program in all modes: the same output, status 0, nothing on stderr. Gives what the gate's run came to, and how many
 * calls were handed over when all are.
 */
export async function sameEverywhere(path: string, ...args: string[]): Promise<Outcome & { polled: number }> {
  const native = await run('native', path, ...args);
  expect(native).toMatchObject({ status: 0, signal: null, check: '', stderr: '' });
  const stops = await run('stops', path, ...args);
  expect(stops).toMatchObject({ status: 0, signal: null, check: '', stdout: native.stdout, stderr: '' });
  const gate = await run('gate', path, ...args);
  expect(gate).toMatchObject({ status: 0, signal: null, check: '', stdout: native.stdout, stderr: '' });
  const polled = await run('polled', path, ...args);
  expect(polled).toMatchObject({ status: 0, signal: null, check: '', stdout: native.stdout, stderr: '' });
  return { ...gate, polled: polled.handedOver };
}
