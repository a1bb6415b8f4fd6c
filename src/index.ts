/** The library: `import { boot } from 'levitate'`. */
export { boot, type BootOptions, type BootResult } from './api/boot.js';
