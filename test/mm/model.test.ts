import { describe, test } from '@jest/globals';
import { machine, PAGE } from './harness.js';
import { agreesWithModel } from './model.js';

describe('memory map', () => {
  test('property: agrees with a per-page model', () => {
    agreesWithModel(() => ({ ...machine({ physicalBytes: 256 * PAGE }), close: () => {} }), 200);
  });
});
