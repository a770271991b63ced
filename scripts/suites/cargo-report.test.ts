import {expect, test} from '@jest/globals';
import {readCargoOutput} from './cargo-report.ts';

const output = `
     Running unittests src/lib.rs (target/debug/deps/wherry_host-0a1b)

running 4 tests
test paths::refuses_a_link ... ok
test netns::makes_a_tap ... ignored, needs root
test kvm::reads_the_version ... ignored
test frame::keeps_to_its_size ... FAILED

test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 2 tests
test dhcp::offers - should panic ... ok
test dhcp::renews ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`.split('\n');

test('sums what passed over all test binaries', () => {
  expect(readCargoOutput(output, false).passed).toBe(3);
});

test('names what failed', () => {
  expect(readCargoOutput(output, false).failed).toEqual(['frame::keeps_to_its_size']);
});

test('gives the reason of an ignored test where there is one', () => {
  expect(readCargoOutput(output, false).skipped).toEqual([
    {name: 'netns::makes_a_tap', reason: 'needs root'},
    {name: 'kvm::reads_the_version', reason: 'its #[ignore] does not say why'},
  ]);
});

test('a build that fails is a failure', () => {
  expect(readCargoOutput(['error: could not compile `wherry-host`'], false).failed).toHaveLength(1);
});

test('no tests and a good end is no failure', () => {
  expect(readCargoOutput([], true)).toEqual({passed: 0, failed: [], skipped: []});
});
