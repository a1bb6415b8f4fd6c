/**
 * The loader: a program file becomes the contents of an address space (fs/binfmt_elf.c load_elf_binary).
 *
 * Two steps, with the point of no return between them. `prepareImage` reads and checks everything that Linux checks before
 * it destroys the old image, and touches nothing. `load` builds the new one in a cleared map: host work is one batch,
 * then the initial stack and the zeroed tails of data pages are written. If load throws, the caller kills the process
 * with SIGSEGV, as Linux does.
 */
import { EEXIST, EINVAL, ELIBBAD, ENOEXEC, ENOMEM, errno } from '../abi/errno.js';
import { MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_PRIVATE } from '../abi/flags/memory.js';
import { ADDR_NO_RANDOMIZE } from '../abi/flags/process.js';
import { ET_DYN, ET_EXEC } from '../abi/layouts/elf.js';
import type { ArchName } from '../abi/types.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE, type Platform } from '../platform/platform.js';
import { checkArguments } from './exec-arguments.js';
import { mappingSize, maximumAlignment, parseElf, type ElfFile, type ProgramFile, type Segment } from './elf.js';
import { buildStack, type StackCredentials } from './exec-stack.js';
import { AddressMap } from './map.js';
import { STACK_GUARD_PAGES, type RandomSource } from './map-core.js';
import { VM_GROWSDOWN, VM_MAYWRITE, VM_STACK, type MemoryMap } from './memory-map.js';
import { growBreak, mapRegion, mmap } from './mmap.js';
import { randomBelow, randomOffset, unmappedArea } from './placement.js';
import { VmaRecord } from './vma-list.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** ELF_ET_DYN_BASE: two thirds of the default map window. */
const DYN_BASE: Readonly<Record<ArchName, number>> = { x86_64: 0x5555_5555_4aaa, aarch64: 0xaaaa_aaaa_aaaa };
/** Pages of randomness: mmap base and PIE (vm.mmap_rnd_bits), stack top (STACK_RND_MASK). */
const MMAP_RANDOM_PAGES: Readonly<Record<ArchName, number>> = { x86_64: 2 ** 28, aarch64: 2 ** 18 };
const STACK_RANDOM_PAGES: Readonly<Record<ArchName, number>> = { x86_64: 2 ** 22, aarch64: 2 ** 18 };
const BRK_RANDOM = GIB;
/** arch_align_stack */
const STACK_JITTER = 8192;
/** What a new stack has beyond its strings. */
const STACK_EXPAND = 128 * 1024;

export interface ImageRequest {
  platform: Pick<Platform, 'arch' | 'pageSize'>;
  file: ProgramFile;
  /** Opens PT_INTERP for execution; throws ENOENT, EACCES, ... */
  openInterpreter: (path: string) => ProgramFile;
  argv: readonly string[];
  envp: readonly string[];
  /** AT_EXECFN: the path given to execve. */
  execfn: string;
  ids: StackCredentials;
  /** AT_SECURE: set-id program. */
  secure: boolean;
  random: RandomSource;
  /** RLIMIT_STACK, for the limit of argv and envp. */
  stackLimit: number;
  /** personality(2): ADDR_NO_RANDOMIZE. */
  personality: number;
}

/** A program that has passed every check that can be made without touching an address space. */
export class PreparedImage {
  readonly request: ImageRequest;
  readonly program: ElfFile;
  readonly interpreter: ElfFile | null;

  constructor(request: ImageRequest, program: ElfFile, interpreter: ElfFile | null) {
    this.request = request;
    this.program = program;
    this.interpreter = interpreter;
  }
  /**
   * Builds the image in `map` (whose limits are set, and which is cleared first); returns the initial registers. After a
   * throw the map is good for nothing but `release()`.
   */
  load(map: MemoryMap): { ip: number; sp: number } {
    if (!(map instanceof AddressMap)) throw new TypeError('not an AddressMap');
    return new ImageLoader(map, this).load();
  }
}

/** Checks the program, its interpreter and the size of its arguments. Throws E2BIG, ENOEXEC, ELIBBAD, EIO. */
export function prepareImage(request: ImageRequest): PreparedImage {
  const { platform, file, openInterpreter, argv, envp, execfn, stackLimit } = request;
  const { arch, pageSize } = platform;
  checkArguments(execfn, argv, envp, stackLimit, pageSize);
  const program = parseElf(file, arch, pageSize, ENOEXEC);
  if (program.interpreter === null) return new PreparedImage(request, program, null);
  const interpreter = parseElf(openInterpreter(program.interpreter), arch, pageSize, ELIBBAD);
  return new PreparedImage(request, program, interpreter);
}

class ImageLoader {
  private readonly map: AddressMap;
  private readonly image: PreparedImage;
  private readonly arch: ArchName;
  private readonly pageSize: number;
  private readonly randomize: boolean;
  /** Tails of file pages to be zeroed: [address, length, must succeed]. */
  private readonly tails: [number, number, boolean][] = [];

  constructor(map: AddressMap, image: PreparedImage) {
    this.map = map;
    this.image = image;
    this.arch = map.platform.arch;
    this.pageSize = map.platform.pageSize;
    this.randomize = (image.request.personality & ADDR_NO_RANDOMIZE) === 0;
  }

  load(): { ip: number; sp: number } {
    const { map } = this;
    const { program, interpreter, request } = this.image;
    const random = new Uint8Array(16);
    request.random.fill(random, 0, 16);
    let bias = 0;
    let base = 0;
    let stack!: ReturnType<typeof buildStack>;
    map.batch(() => {
      map.clear();
      const stackTop = this.placeStack();
      bias = this.mapProgram(program, interpreter !== null);
      if (interpreter !== null) base = this.mapInterpreter(interpreter);
      this.setLayout(program, bias, interpreter !== null);
      stack = buildStack({
        platform: map.platform,
        top: stackTop,
        jitter: this.randomize ? randomBelow(map, STACK_JITTER) : 0,
        argv: request.argv,
        envp: request.envp,
        execfn: request.execfn,
        creds: request.ids,
        secure: request.secure,
        random,
        phdr: this.headerAddress(program, bias),
        phnum: program.headerCount,
        base,
        entry: program.entry + bias,
      });
      this.mapStack(stackTop, stack.strings, stack.sp, program.executableStack === true);
    });
    for (const [at, length, needed] of this.tails) {
      if (needed) map.clearOut(at, length);
      else if (map.writable(at, length) === length) map.clearOut(at, length);
    }
    map.copyOut(stack.sp, stack.bytes, 0, stack.bytes.length);
    const { layout } = map;
    layout.startStack = stack.sp;
    layout.argStart = stack.argStart;
    layout.argEnd = stack.argEnd;
    layout.envStart = stack.envStart;
    layout.envEnd = stack.envEnd;
    layout.auxv = stack.auxv;
    return { ip: interpreter === null ? program.entry + bias : base + interpreter.entry, sp: stack.sp };
  }

  /** Stack top and mmap base (arch_pick_mmap_layout). */
  private placeStack(): number {
    const { map, arch, pageSize } = this;
    const { taskSize } = map.platform;
    const stackRandom = STACK_RANDOM_PAGES[arch] * pageSize;
    const pad = (this.randomize ? stackRandom : 0) + STACK_GUARD_PAGES * pageSize;
    const gapMax = map.pageDown((taskSize / 6) * 5);
    const gap = Math.max(128 * MIB, Math.min(map.limits.stack + pad, gapMax));
    const offset = this.randomize ? randomOffset(map, MMAP_RANDOM_PAGES[arch] * pageSize) : 0;
    map.layout.mmapBase = map.pageUp(taskSize - gap - offset);
    return taskSize - (this.randomize ? randomOffset(map, stackRandom) : 0);
  }

  private mapProgram(program: ElfFile, hasInterpreter: boolean): number {
    const { map, arch, pageSize } = this;
    const { segments, type } = program;
    const { taskSize } = map.platform;
    let bias = 0;
    for (const [i, segment] of segments.entries()) {
      let flags = MAP_PRIVATE | MAP_FIXED;
      if (i === 0) {
        flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
        if (type === ET_DYN) {
          const first = map.pageDown(segment.vaddr);
          if (hasInterpreter) {
            const random = this.randomize ? randomOffset(map, MMAP_RANDOM_PAGES[arch] * pageSize) : 0;
            const alignment = maximumAlignment(segments, pageSize);
            const at = DYN_BASE[arch] + random;
            bias = map.pageDown(at - (at % alignment)) - first;
          } else bias = this.findRoom(segments) - first;
        }
      }
      this.mapSegment(program, segment, bias, flags);
      const { vaddr, fileSize, memorySize } = segment;
      if (vaddr >= taskSize || fileSize > memorySize || memorySize > taskSize || taskSize - memorySize < vaddr)
        throw errno(EINVAL);
    }
    const entry = program.entry + bias;
    if ((entry < 0 || entry >= taskSize) && !hasInterpreter) throw errno(EINVAL);
    return bias;
  }

  private mapInterpreter(interpreter: ElfFile): number {
    const { map } = this;
    const { taskSize } = map.platform;
    const { segments, type } = interpreter;
    if (type !== ET_DYN && type !== ET_EXEC) throw errno(EINVAL);
    if (mappingSize(segments, this.pageSize) === 0) throw errno(EINVAL);
    const bias = type === ET_EXEC ? 0 : this.findRoom(segments, false) - map.pageDown(segments[0].vaddr);
    for (const segment of segments) {
      const start = bias + segment.vaddr;
      this.mapSegment(interpreter, segment, bias, MAP_PRIVATE | MAP_FIXED);
      const { fileSize, memorySize } = segment;
      if (start >= taskSize || fileSize > memorySize || memorySize > taskSize || taskSize - memorySize < start)
        throw errno(ENOMEM);
    }
    const entry = bias + interpreter.entry;
    if (entry < 0 || entry >= taskSize) throw errno(EINVAL);
    return bias;
  }

  /** Where mmap would put the whole of a position-independent file; aligned for it if `align`. */
  private findRoom(segments: readonly Segment[], align = true): number {
    const { map, pageSize } = this;
    const total = map.pageUp(mappingSize(segments, pageSize));
    if (!(total > 0)) throw errno(EINVAL);
    const found = unmappedArea(map, 0, total, 0);
    const alignment = align ? maximumAlignment(segments, pageSize) : pageSize;
    const at = found - (found % alignment);
    if (at !== found && map.list.intersects(at, at + total)) throw errno(EEXIST);
    return at;
  }

  /** elf_load: the file part, then anonymous memory for what the file does not have. */
  private mapSegment({ file }: ElfFile, segment: Segment, bias: number, flags: number): void {
    const { map, pageSize } = this;
    const { vaddr, offset, fileSize, memorySize, prot } = segment;
    const within = vaddr % pageSize;
    const start = map.pageDown(bias + vaddr);
    let zeroStart = start;
    if (fileSize > 0) {
      const length = map.pageUp(fileSize + within);
      const from = offset - within;
      if (from < 0 || !map.aligned(from) || !Number.isSafeInteger(offset)) throw errno(EINVAL);
      mmap(map, { addr: start, length, prot, flags, file: file.mapping, offset: from, mayWrite: true });
      zeroStart = start + within + fileSize;
    }
    if (memorySize <= fileSize) return;
    const bssStart = map.pageUp(zeroStart);
    const bssEnd = map.pageUp(start + within + memorySize);
    if (fileSize > 0 && bssStart > zeroStart)
      this.tails.push([zeroStart, bssStart - zeroStart, (prot & PROT_WRITE) !== 0]);
    if (bssEnd <= bssStart) return;
    unmappedArea(map, bssStart, bssEnd - bssStart, MAP_FIXED);
    if (map.list.intersects(bssStart, bssEnd)) map.dropRange(bssStart, bssEnd, true);
    growBreak(map, bssStart, bssEnd, PROT_READ | PROT_WRITE | (prot & PROT_EXEC));
  }

  /** AT_PHDR: where the program headers ended up, in the segment that holds them. */
  private headerAddress({ segments, headerOffset }: ElfFile, bias: number): number {
    let at = 0;
    for (const { offset, fileSize, vaddr } of segments)
      if (offset <= headerOffset && headerOffset < offset + fileSize) at = headerOffset - offset + vaddr;
    return at + bias;
  }

  /** Code, data and break for /proc and brk(2). */
  private setLayout({ segments, type }: ElfFile, bias: number, hasInterpreter: boolean): void {
    const { map, randomize } = this;
    const { layout } = map;
    let startCode = Infinity;
    let [endCode, startData, endData, end] = [0, 0, 0, 0];
    for (const { vaddr, fileSize, memorySize, prot } of segments) {
      const executable = (prot & PROT_EXEC) !== 0;
      if (executable && vaddr < startCode) startCode = vaddr;
      if (vaddr > startData) startData = vaddr;
      if (executable && vaddr + fileSize > endCode) endCode = vaddr + fileSize;
      if (vaddr + fileSize > endData) endData = vaddr + fileSize;
      if (vaddr + memorySize > end) end = vaddr + memorySize;
    }
    layout.startCode = Number.isFinite(startCode) ? startCode + bias : 0;
    layout.endCode = endCode + bias;
    layout.startData = startData + bias;
    layout.endData = endData + bias;
    // A loader run as a program, or a static PIE: away from the mmap region it was put into.
    if (randomize && type === ET_DYN && !hasInterpreter) end = DYN_BASE[this.arch];
    else end += bias;
    layout.startBrk = map.pageUp(end) + (randomize ? randomOffset(map, BRK_RANDOM) : 0);
    layout.brk = layout.startBrk;
  }

  /** setup_arg_pages: the strings' pages and 128 KiB more, as far as RLIMIT_STACK goes; then room for the tables. */
  private mapStack(top: number, strings: number, sp: number, executable: boolean): void {
    const { map } = this;
    const limit = map.pageDown(Math.min(map.limits.stack, map.platform.taskSize));
    const stringBytes = top - map.pageDown(strings);
    const needed = top - map.pageDown(sp);
    const bytes = Math.max(stringBytes, Math.min(limit, stringBytes + STACK_EXPAND), needed);
    if (needed > Math.max(limit, stringBytes)) throw errno(ENOMEM);
    const prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
    const flags = VM_GROWSDOWN | VM_STACK | VM_MAYWRITE;
    mapRegion(map, new VmaRecord(top - bytes, top, prot, flags, null, 0), false);
  }
}
