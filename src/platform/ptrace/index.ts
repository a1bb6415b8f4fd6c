/** The ptrace platform's public face. */
export { createPtracePlatform, PtracePlatform, type PtraceOptions } from './platform.js';
export { preflight } from './preflight.js';
