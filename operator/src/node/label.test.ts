import {expect, test} from '@jest/globals';
import {schedulableLabel} from './label.ts';
import type {DaemonState} from './sighting.ts';

const table: [label: string | undefined, daemon: DaemonState, change: string | undefined][] = [
  ['true', 'answers', undefined],
  ['true', 'unknown', undefined],
  ['true', 'absent', undefined],
  ['true', 'silent', 'false'],
  ['true', 'missing', 'false'],
  ['false', 'silent', undefined],
  ['false', 'missing', undefined],
  ['false', 'unknown', undefined],
  ['false', 'absent', undefined],
  ['false', 'answers', 'true'],
  // The daemon itself says so first.
  [undefined, 'answers', undefined],
  [undefined, 'silent', undefined],
];

test.each(table)('schedulable=%s and a daemon that is %s: it becomes %s', (label, daemon, change) => {
  const labels = label === undefined ? {} : {'kubevirt.io/schedulable': label};
  expect(schedulableLabel(labels, daemon)).toBe(change);
});
