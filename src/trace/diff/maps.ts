/**
 * What stands for what: values that mean the same thing in two runs without being the same number. A relation is learnt where a
 * value appears (a result, usually) and held against every later use.
 */

/** One-to-one, as far as it is known. */
export class Bijection {
  private readonly forward = new Map<number, number>();
  private readonly back = new Map<number, number>();

  copy(): Bijection {
    const copy = new Bijection();
    for (const [host, ours] of this.forward) copy.bind(host, ours);
    return copy;
  }
  /** From now on these two are one, whatever they were before. */
  bind(host: number, ours: number): void {
    const oldOurs = this.forward.get(host);
    if (oldOurs !== undefined) this.back.delete(oldOurs);
    const oldHost = this.back.get(ours);
    if (oldHost !== undefined) this.forward.delete(oldHost);
    this.forward.set(host, ours);
    this.back.set(ours, host);
  }
  /** Whether these may be one: they are, or both are new here and become it. */
  relate(host: number, ours: number): boolean {
    const known = this.forward.get(host);
    if (known !== undefined) return known === ours;
    if (this.back.has(ours)) return false;
    this.bind(host, ours);
    return true;
  }
  /** As `relate`, for values that are the same number until something else is known. */
  relateOrSame(host: number, ours: number): boolean {
    const known = this.forward.get(host);
    if (known !== undefined) return known === ours;
    return host === ours && !this.back.has(ours);
  }
}

interface Range {
  readonly host: bigint;
  readonly ours: bigint;
  readonly length: bigint;
}

/** Allocators cut what they have mapped to a multiple of more than a page: by how much is a matter of where it was. */
const alike = ({ ours: at, length }: Range, host: bigint, ours: bigint): boolean =>
  ours >= at && ours <= at + length && ((host ^ ours) & 0xfffn) === 0n;

/** Mappings of one address space. Addresses of which nothing is known (stack, a position-independent program) relate to any. */
export class AddressMap {
  private ranges: Range[] = [];
  /** Other threads map as they please: order says nothing any more. */
  shared = false;

  copy(): AddressMap {
    const copy = new AddressMap();
    copy.ranges = [...this.ranges];
    return copy;
  }
  map(host: bigint, ours: bigint, length: bigint): void {
    this.ranges = this.ranges.filter((r) => host + length <= r.host || host >= r.host + r.length);
    this.ranges = this.ranges.filter((r) => ours + length <= r.ours || ours >= r.ours + r.length);
    this.ranges.push({ host, ours, length });
  }
  relate(host: bigint, ours: bigint): boolean {
    if (host === ours) return true;
    if (host === 0n || ours === 0n) return false;
    if (this.shared) return true;
    // One past the end belongs, too: it may be the start of the next one.
    const known = this.ranges.filter((r) => host >= r.host && host <= r.host + r.length);
    return known.length === 0 || known.some((r) => ours - r.ours === host - r.host || alike(r, host, ours));
  }
}

export class Maps {
  pids = new Bijection();
  inodes = new Bijection();
  fds = new Bijection();
  addresses = new AddressMap();

  /** Of a new process: pids and inodes are everybody's, descriptors and memory are copies. */
  fork(): Maps {
    const maps = new Maps();
    maps.pids = this.pids;
    maps.inodes = this.inodes;
    maps.fds = this.fds.copy();
    maps.addresses = this.addresses.copy();
    return maps;
  }
  /** Of a new thread. */
  thread(): Maps {
    this.addresses.shared = true;
    const maps = new Maps();
    Object.assign(maps, this);
    return maps;
  }
  /** execve(2): a new address space. */
  executed(): void {
    this.addresses = new AddressMap();
  }
}
