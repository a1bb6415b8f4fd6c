/** The architecture of the machine we run on, undefined if levitate does not know it. */
import type { ArchName } from './types.js';

const NAMES: Readonly<Partial<Record<NodeJS.Architecture, ArchName>>> = { x64: 'x86_64', arm64: 'aarch64' };

export const KNOWN_HOST: ArchName | undefined = NAMES[process.arch];
/** For where nothing can be run on a host that is none of these, but a name is wanted. */
export const HOST_ARCH: ArchName = KNOWN_HOST ?? 'x86_64';
