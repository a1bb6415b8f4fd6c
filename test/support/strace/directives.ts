/** Lines of a script that begin with @: memory with a name, files that are there. */
import { latin1 } from '../../../src/trace/parse/bytes.js';
import type { Term } from '../../../src/trace/parse/term.js';
import { AT_FDCWD, O_CREAT, O_TRUNC, O_WRONLY } from '../constants.js';
import { numberOf, type Arg, type Builder, type Call, type SyscallName } from '../builder.js';
import { OP_CALL, OP_REPORT, PAGE, type EncodedArg } from '../script.js';
import { constants } from './names.js';
import type { Variables } from './variables.js';

export class Directives {
  /** Memory of @memory, which lies at the same place on every side. */
  readonly named = new Map<string, bigint>();
  private readonly builder: Builder;
  private readonly variables: Variables;

  constructor(builder: Builder, variables: Variables) {
    this.builder = builder;
    this.variables = variables;
  }

  /** Adds the operations of one to the section that is open. */
  add(name: string, terms: readonly Term[]): void {
    // scripts.test.ts leaves out what is about other pages.
    if (name === 'pages') return;
    if (name === 'memory') this.nameMemory(terms);
    else if (name === 'expect') this.expectMemory(terms);
    else this.prepare(name, terms);
  }
  private nameMemory(terms: readonly Term[]): void {
    const size = Number(constants.need(terms[1], 'size'));
    const initial = new Uint8Array(Math.ceil(size / PAGE) * PAGE);
    const content = latin1(terms.at(2)?.text ?? '');
    initial.set(content.subarray(0, initial.length));
    const memory = this.builder.arena.own(initial.length, {
      initial,
      fill: 0,
      aligned: true,
      quiet: true,
      name: terms[0].text,
    });
    this.named.set(terms[0].text, BigInt(memory.address));
  }
  private expectMemory(terms: readonly Term[]): void {
    const wanted = latin1(terms[1].text);
    const at = this.named.get(terms[0].text) ?? this.variables.placeholder(terms[0].text);
    if (at === undefined) throw new Error(`there is no memory ${terms[0].text}`);
    const report = this.builder.add(OP_REPORT, { args: [0, wanted.length], text: `report of ${terms[0].text}` });
    (report.op.args as EncodedArg[])[0] = this.variables.argument(at).encoded;
    this.builder.check(
      `${terms[0].text} is as expected`,
      (view) => {
        const got = view.reported();
        return got.equals(wanted) || JSON.stringify(got.toString('latin1'));
      },
      null,
    );
  }
  /** Files that are there when the script begins. */
  private prepare(name: string, terms: readonly Term[]): void {
    const path = terms[0].text;
    if (path.startsWith('/')) throw new Error(`@${name} ${path}: a path in the script's own directory belongs here`);
    const call = (syscall: SyscallName, args: Arg[]): Call =>
      this.builder.add(OP_CALL, { nr: numberOf(syscall), args, text: `@${name} ${path}` });
    if (name === 'symlink') {
      call('symlinkat', [terms[1].text, AT_FDCWD, path]).returns(0);
      return;
    }
    const mode = Number(constants.need(terms[1], 'mode'));
    call('umask', [0]).returns(0o22);
    if (name === 'dir') call('mkdirat', [AT_FDCWD, path, mode]).returns(0);
    else {
      const fd = call('openat', [AT_FDCWD, path, O_CREAT | O_TRUNC | O_WRONLY, mode]).fd();
      const content = latin1(terms.at(2)?.text ?? '');
      if (content.length > 0) call('write', [fd, content, content.length]).returns(content.length);
      call('close', [fd]).returns(0);
    }
    call('umask', [0o22]).returns(0);
  }
}
