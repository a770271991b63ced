import {expect, test} from '@jest/globals';
import {closingLines, type Report, resultLine} from './report.ts';

const passed = {story: 'life', step: 'it runs', outcome: 'passed', ms: 12} as const;
const failed = {story: 'life', step: 'it pauses', outcome: 'failed', ms: 3, reason: 'it went on'} as const;
const report: Report = {
  subject: {engine: 'qemu', accelerator: 'kvm'},
  machine: {kernel: '6.12', processor: 'a processor', kvm: {verdict: 'usable', reason: 'all checks passed'}},
  results: [passed, failed],
};

test('a line says what was seen, and why it is not as it should be', () => {
  expect(resultLine(passed)).toBe('ok   life: it runs (12 ms)');
  expect(resultLine(failed)).toBe('FAIL life: it pauses — it went on');
});

test('the end says on what machine, and how much of it holds', () => {
  expect(closingLines(report)).toEqual([
    'machine: Linux 6.12 on a processor',
    'KVM: usable, all checks passed',
    'engine qemu with kvm: 1 passed, 1 failed, 0 skipped',
  ]);
});
