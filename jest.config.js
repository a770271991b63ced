/**
 * Native ESM through swc. A tier is a project: `jest --selectProjects unit`.
 * `unit` needs nothing; `integration` needs etcd and kube-apiserver; `e2e` and `e2e-system` need the kind cluster.
 * `lab` needs nothing either: it makes a KVM host under emulation. `lab-boot` is a part of it.
 * The slow proofs: `soak` needs what `integration` needs, `guest-faults` and `node-faults` a cluster of their own with two
 * workers.
 */
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {jsc: {target: 'es2024', parser: {syntax: 'typescript'}}, module: {type: 'es6'}, sourceMaps: 'inline'},
    ],
  },
};

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{api,kube,operator,node-daemon,native,scripts,images,test/support,test/conformance,test/lab/harness,test/bench}/**/*.test.ts',
      ],
      modulePathIgnorePatterns: ['/target/'],
    },
    {...common, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.test.ts']},
    {...common, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/*.test.ts']},
    {...common, displayName: 'e2e-system', testMatch: ['<rootDir>/test/e2e/system/*.test.ts']},
    {...common, displayName: 'lab', testMatch: ['<rootDir>/test/lab/{,boot/}*.test.ts']},
    {...common, displayName: 'lab-boot', testMatch: ['<rootDir>/test/lab/boot/*.test.ts']},
    {...common, displayName: 'soak', testMatch: ['<rootDir>/test/long/soak/**/*.test.ts']},
    {...common, displayName: 'guest-faults', testMatch: ['<rootDir>/test/long/faults/guests/*.test.ts']},
    {...common, displayName: 'node-faults', testMatch: ['<rootDir>/test/long/faults/nodes/*.test.ts']},
  ],
};
