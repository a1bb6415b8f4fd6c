// ESLint rule: imports go one way only, down the layers of CONTRIBUTING.md. Folders of one layer (src/ipc, src/tty,
// src/net) do not import each other. Type imports count too: a type that a lower layer needs is declared in the lower layer.
import { dirname, relative, resolve } from 'node:path';

/** Lowest first. A path belongs to the first prefix that matches it. */
const LAYERS = [
  ['src/abi/'],
  ['src/platform/'],
  ['src/mm/'],
  ['src/gate/'],
  ['sched/'],
  ['fs/'],
  ['src/ipc/', 'src/tty/', 'src/net/'],
  ['syscalls/'],
  ['src/trace/'],
  ['src/kernel.ts', 'src/kernel/', 'src/loop.ts', 'src/registry.ts'],
  ['src/api/', 'src/index.ts', 'src/cli/'],
];

/** Of one layer, and strangers to each other. */
const PEERS = ['src/ipc/', 'src/tty/', 'src/net/'];

/** @returns the layer's rank and name of a path relative to the repository, or undefined outside the layers. */
export function layerOf(path) {
  for (const [rank, prefixes] of LAYERS.entries()) {
    for (const prefix of prefixes) {
      if (path === prefix || (prefix.endsWith('/') && path.startsWith(prefix))) return { rank, name: prefix };
    }
  }
  return undefined;
}

/** @returns a sentence that says what is wrong with `from` importing `to` (relative paths), or undefined. */
export function violation(from, to) {
  const importer = layerOf(from);
  if (!importer) return undefined;
  if (/^(test|docs|\.ci)\//.test(to))
    return `${importer.name} imports ${to}: the product does not import tests or tools`;
  const imported = layerOf(to);
  if (!imported || imported.name === importer.name || imported.rank < importer.rank) return undefined;
  if (imported.rank === importer.rank && !PEERS.includes(importer.name)) return undefined;
  return imported.rank === importer.rank
    ? `${importer.name} and ${imported.name} are of one layer and do not import each other`
    : `${importer.name} is below ${imported.name} and must not import it (CONTRIBUTING.md, Layers)`;
}

export const importDirection = {
  meta: { type: 'problem', schema: [], messages: { direction: '{{text}}' } },
  create(context) {
    const from = relative(context.cwd, context.filename).replaceAll('\\', '/');
    function check(node, source) {
      if (typeof source !== 'string' || !source.startsWith('.')) return;
      const target = resolve(dirname(context.filename), source).replace(/\.js$/, '.ts');
      const text = violation(from, relative(context.cwd, target).replaceAll('\\', '/'));
      if (text) context.report({ node, messageId: 'direction', data: { text } });
    }
    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration: (node) => node.source && check(node, node.source.value),
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ImportExpression: (node) => check(node, node.source.value),
      TSImportType: (node) => check(node, node.source?.value ?? node.argument?.literal?.value),
    };
  },
};
