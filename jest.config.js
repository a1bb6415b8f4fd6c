// Two projects. `unit` holds suites that start no guest: they run in parallel. `ptrace` holds everything else, one
// suite after the other (`--runInBand`, given by .ci/jest.mjs), so that a crash in the addon can be attributed and
// timing-sensitive guests do not compete for CPUs. An unknown folder below test/ counts as ptrace: the safe side.
const unitFolders = [
  'abi',
  'api-types',
  'archive',
  'cli',
  'diff',
  'fs',
  'gate',
  'ipc',
  'lint',
  'mm',
  'net',
  'replay',
  'rootfs',
  'sched',
  'trace',
  'tty',
  'unit',
];
const unit = unitFolders.join('|');

const here = import.meta.dirname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: '<rootDir>/tsconfig.json', diagnostics: false }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/', '<rootDir>/build-'],
};

export default {
  // For a hang, not for slowness: machines may be busy.
  testTimeout: 120_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testRegex: [`^${here}/test/(${unit})/.*\\.test\\.ts$`],
      testPathIgnorePatterns: ['/node_modules/', '\\.ptrace\\.test\\.ts$'],
    },
    {
      ...common,
      displayName: 'ptrace',
      // These choose for themselves: no second time without the gate.
      // Those of test/aarch64 run in its machine.
      testPathIgnorePatterns: [
        '/node_modules/',
        '/test/aarch64/',
        ...(process.env.LEVITATE_GATE === '0' ? ['/test/gate/'] : []),
      ],
      testRegex: [`^${here}/test/(?!(${unit})/).*\\.test\\.ts$`, `^${here}/test/.*\\.ptrace\\.test\\.ts$`],
    },
  ],
};
