import { describe, test } from '@jest/globals';
import { SystemMemory } from '../../src/mm/account.js';
import { BuddyAllocator } from '../../src/mm/buddy.js';
import { AddressMap } from '../../src/mm/map.js';
import { createPtracePlatform } from '../../src/platform/ptrace/index.js';
import { PAGE } from './harness.js';
import { agreesWithModel } from './model.js';

describe('memory map on host processes', () => {
  test('property: agrees with a per-page model', () => {
    const platform = createPtracePlatform({ physicalBytes: 256 * PAGE });
    try {
      agreesWithModel(() => {
        const account = new SystemMemory(Infinity);
        const frames = new BuddyAllocator(platform.physical, PAGE, { account });
        const { space, thread } = platform.createAddressSpace();
        const random = { fill: () => {} };
        const map = new AddressMap({ platform, frames, space, account, random });
        return { frames, account, space, thread, map, close: () => {} };
      }, 60);
    } finally {
      platform.close();
    }
  });
});
