/** mkdir, create, link, unlink, rmdir and rename against a small model of a tree: results, link counts, contents. */
import fc from 'fast-check';
import { AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../src/abi/flags/open.js';
import type { Task } from '../../sched/task.js';
import { DirectoryFile } from '../../fs/directory-file.js';
import { link, mkdir, rmdir, unlink } from '../../fs/namespace-ops.js';
import { rename } from '../../fs/rename.js';
import { resolve } from '../../fs/walk.js';
import { close, open, outcome, readFile, testKernel, writeFile } from './fake.js';

interface Node {
  dir: Map<string, Node> | null;
  content: string;
}
const makeDir = (): Node => ({ dir: new Map(), content: '' });

class Model {
  readonly root = makeDir();

  /** The directory and name of a path, or an errno. */
  private at(path: string): { parent: Map<string, Node>; name: string; chain: Node[] } | string {
    const parts = path.split('/').slice(1);
    const name = parts.pop()!;
    let node = this.root;
    const chain = [node];
    for (const part of parts) {
      const next = node.dir!.get(part);
      if (next === undefined) return 'ENOENT';
      if (next.dir === null) return 'ENOTDIR';
      node = next;
      chain.push(node);
    }
    return { parent: node.dir!, name, chain };
  }

  make(path: string, node: Node): string | undefined {
    const at = this.at(path);
    if (typeof at === 'string') return at;
    if (at.parent.has(at.name)) return 'EEXIST';
    at.parent.set(at.name, node);
    return undefined;
  }
  link(from: string, to: string): string | undefined {
    const old = this.at(from);
    if (typeof old === 'string') return old;
    const node = old.parent.get(old.name);
    if (node === undefined) return 'ENOENT';
    const at = this.at(to);
    if (typeof at === 'string') return at;
    if (at.parent.has(at.name)) return 'EEXIST';
    if (node.dir !== null) return 'EPERM';
    at.parent.set(at.name, node);
    return undefined;
  }
  remove(path: string, directory: boolean): string | undefined {
    const at = this.at(path);
    if (typeof at === 'string') return at;
    const node = at.parent.get(at.name);
    if (node === undefined) return 'ENOENT';
    if (directory && node.dir === null) return 'ENOTDIR';
    if (!directory && node.dir !== null) return 'EISDIR';
    if (directory && node.dir!.size > 0) return 'ENOTEMPTY';
    at.parent.delete(at.name);
    return undefined;
  }
  rename(from: string, to: string, flags: number): string | undefined {
    const old = this.at(from);
    if (typeof old === 'string') return old;
    const at = this.at(to);
    if (typeof at === 'string') return at;
    const source = old.parent.get(old.name);
    if (source === undefined) return 'ENOENT';
    const target = at.parent.get(at.name);
    if ((flags & RENAME_NOREPLACE) !== 0 && target !== undefined) return 'EEXIST';
    if ((flags & RENAME_EXCHANGE) !== 0 && target === undefined) return 'ENOENT';
    if (at.chain.includes(source)) return 'EINVAL';
    if (target !== undefined && old.chain.includes(target))
      return (flags & RENAME_EXCHANGE) !== 0 ? 'EINVAL' : 'ENOTEMPTY';
    if (source === target) return undefined;
    if ((flags & RENAME_EXCHANGE) !== 0) {
      old.parent.set(old.name, target!);
      at.parent.set(at.name, source);
      return undefined;
    }
    if (target !== undefined) {
      if (source.dir !== null && target.dir === null) return 'ENOTDIR';
      if (source.dir === null && target.dir !== null) return 'EISDIR';
      if (target.dir !== null && target.dir.size > 0) return 'ENOTEMPTY';
    }
    old.parent.delete(old.name);
    at.parent.set(at.name, source);
    return undefined;
  }
  /** How many names a file has, how many subdirectories a directory. */
  links(node: Node): number {
    if (node.dir !== null) return 2 + [...node.dir.values()].filter((child) => child.dir !== null).length;
    const count = (dir: Map<string, Node>): number =>
      [...dir.values()].reduce((sum, child) => sum + (child === node ? 1 : 0) + (child.dir ? count(child.dir) : 0), 0);
    return count(this.root.dir!);
  }
}

function names(task: Task, path: string): string[] {
  const file = open(task, path) as DirectoryFile;
  const list: string[] = [];
  file.iterate(task, (name) => list.push(name) > 0);
  close(file);
  return list;
}

function compare(task: Task, model: Model, node: Node, path: string): void {
  const inode = resolve(task, AT_FDCWD, path === '' ? '/' : path, 0).dentry.inode!;
  expect([path, inode.nlink]).toEqual([path, model.links(node)]);
  if (node.dir === null) {
    expect(readFile(task, path)).toBe(node.content);
    return;
  }
  expect(inode.size).toBe(40 + 20 * node.dir.size);
  expect(names(task, path === '' ? '/' : path).sort()).toEqual(['.', '..', ...node.dir.keys()].sort());
  for (const [name, child] of node.dir) compare(task, model, child, `${path}/${name}`);
}

const part = fc.constantFrom('a', 'b', 'c');
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('mkdir' as const), path }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('create' as const), path }) },
  fc.record({ op: fc.constant('link' as const), path, to: path }),
  fc.record({ op: fc.constant('unlink' as const), path }),
  fc.record({ op: fc.constant('rmdir' as const), path }),
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('rename' as const),
      path,
      to: path,
      flags: fc.constantFrom(0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE),
    }),
  },
);

test('names behave as in the model', () => {
  let successes = 0;
  fc.assert(
    fc.property(fc.array(operation, { minLength: 10, maxLength: 60 }), (operations) => {
      const { task, frames } = testKernel({ memory: 1 << 20 });
      const model = new Model();
      for (const dir of ['/a', '/a/b', '/b', '/b/a']) {
        model.make(dir, makeDir());
        mkdir(task, AT_FDCWD, dir, 0o755);
      }
      operations.forEach((action, step) => {
        let expected: string | undefined;
        let actual: string | undefined;
        if (action.op === 'mkdir') {
          expected = model.make(action.path, makeDir());
          actual = outcome(() => mkdir(task, AT_FDCWD, action.path, 0o755)) as string | undefined;
        } else if (action.op === 'create') {
          const existing = outcome(() => resolve(task, AT_FDCWD, action.path, 0));
          if (typeof existing !== 'string') return;
          const content = `content ${step}`;
          expected = model.make(action.path, { dir: null, content });
          actual = outcome(() => writeFile(task, action.path, content)) as string | undefined;
        } else if (action.op === 'link') {
          expected = model.link(action.path, action.to);
          actual = outcome(() => link(task, AT_FDCWD, action.path, AT_FDCWD, action.to, 0)) as string | undefined;
        } else if (action.op === 'rename') {
          expected = model.rename(action.path, action.to, action.flags);
          const { path: from, to, flags } = action;
          actual = outcome(() => rename(task, AT_FDCWD, from, AT_FDCWD, to, flags)) as string | undefined;
        } else {
          expected = model.remove(action.path, action.op === 'rmdir');
          const remove = action.op === 'rmdir' ? rmdir : unlink;
          actual = outcome(() => remove(task, AT_FDCWD, action.path)) as string | undefined;
        }
        expect([step, action, actual]).toEqual([step, action, expected]);
        if (actual === undefined) successes++;
      });
      compare(task, model, model.root, '');
      // Removing everything gives every frame back.
      const clear = (dir: Map<string, Node>, at: string): void => {
        for (const [name, child] of dir) {
          if (child.dir === null) unlink(task, AT_FDCWD, `${at}/${name}`);
          else {
            clear(child.dir, `${at}/${name}`);
            rmdir(task, AT_FDCWD, `${at}/${name}`);
          }
        }
      };
      clear(model.root.dir!, '');
      expect(frames.usedBytes).toBe(0);
      expect(task.kernel.vfs.namespace.root.sb.statfs()).toMatchObject({ blocks: 128, bfree: 128 });
    }),
    { numRuns: 200 },
  );
  expect(successes).toBeGreaterThan(500);
});
