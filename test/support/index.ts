/** What tests import. */
export * from './constants.js';
export * from '../../src/abi/errno.js';
export { load32, load64, loadAt, symbol, type Arg, type Call } from './builder.js';
export { maskOf, type S } from './dsl.js';
export { hostArch } from './executor.js';
export { Mem, Pointer, show } from './memory.js';
export type { View } from './outcome.js';
export { FREE_BASE, PAGE, SYMBOL_HANDLER, SYMBOL_RESTORER, SYMBOL_RETURN, SYMBOL_STACK } from './script.js';
export * from './structs.js';
export { syscallTest, syscallTests, type TestOptions } from './suite.js';
