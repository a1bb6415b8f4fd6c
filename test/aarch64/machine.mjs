/** The emulated machine: QEMU with the base image and the project's, and what is left in the project's /out afterwards. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { must } from './programs.mjs';

/** The exit status when the machine ended without one of the command's: it crashed, or its time was over. */
const NO_STATUS = 125;
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/** A disk image with what is in `folder`, for a machine that runs the shell command `command` in it. */
export function image(folder, command, file) {
  writeFileSync(join(folder, 'command'), `${command}\n`);
  rmSync(file, { force: true });
  const options = ['-q', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-E', 'root_owner=0:0'];
  must('mke2fs', [...options, '-d', folder, file, '700M']);
}

/**
 * Boots, waits for the end, brings back /w/out as the folder `out`. Returns the command's exit status. Lines of the console get
 * `prefix` unless it is empty.
 */
export async function boot({ base, kernel, project, cpu, processors, limitSeconds, interactive, prefix, out }) {
  const append = ['console=ttyAMA0', 'panic=-1', 'quiet', 'mitigations=off'];
  if (interactive) {
    const { columns, rows } = process.stdout;
    append.push(`TERM=${process.env.TERM ?? 'vt100'}`, `levitate.size=${rows || 24}x${columns || 80}`);
  }
  const words = [
    ...['-M', 'virt', '-cpu', cpu, '-smp', String(processors), '-m', '2G', '-accel', 'tcg,thread=multi'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'none', '-no-reboot'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', kernel.image, '-initrd', kernel.initrd],
    ...['-device', 'nvme,serial=disks,id=disks'],
    ...[
      '-drive',
      `if=none,id=base,file=${base},format=raw,snapshot=on`,
      '-device',
      'nvme-ns,drive=base,bus=disks,nsid=1',
    ],
    ...['-drive', `if=none,id=project,file=${project},format=raw,cache=unsafe`],
    ...['-device', 'nvme-ns,drive=project,bus=disks,nsid=2', '-append', append.join(' ')],
  ];
  const qemu = spawn('qemu-system-aarch64', words, {
    stdio: [interactive ? 'inherit' : 'ignore', prefix === '' ? 'inherit' : 'pipe', 'inherit'],
  });
  if (qemu.stdout !== null)
    createInterface({ input: qemu.stdout }).on('line', (line) => console.log(`${prefix}${line}`));
  const stop = () => qemu.kill('SIGKILL');
  const timer = setTimeout(() => {
    console.error(`aarch64: not done within ${limitSeconds} s`);
    stop();
  }, limitSeconds * 1000);
  process.once('exit', stop);
  // A signal ends Node without an exit event.
  const ended = (signal) => process.exit(128 + constants.signals[signal]);
  for (const signal of SIGNALS) process.once(signal, ended);
  try {
    await new Promise((resolve, reject) => {
      qemu.once('error', reject);
      qemu.once('close', resolve);
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', stop);
    for (const signal of SIGNALS) process.off(signal, ended);
  }
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  must('debugfs', ['-R', `rdump /out ${out}`, project]);
  const status = join(out, 'out/rc');
  return existsSync(status) ? Number(readFileSync(status, 'utf8')) : NO_STATUS;
}
