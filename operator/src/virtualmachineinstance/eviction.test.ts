import {expect, test} from '@jest/globals';
import {anInstance, running} from '../testing/fixtures.ts';
import {evacuationNode, isExternal, needsBudget} from './eviction.ts';

const external = {evictionStrategy: 'External'} as const;
const deletionTimestamp = '2026-01-01T00:00:00Z';

test('only the strategy External leaves an eviction to somebody else', () => {
  expect(isExternal(anInstance({spec: external}))).toBe(true);
  for (const evictionStrategy of ['', 'None'] as const)
    expect(isExternal(anInstance({spec: {evictionStrategy}}))).toBe(false);
  expect(isExternal(anInstance())).toBe(false);
});

test('a run that ended, or goes, need not be protected', () => {
  expect(needsBudget(anInstance({spec: external}))).toBe(true);
  expect(needsBudget(anInstance({spec: external, metadata: {deletionTimestamp}}))).toBe(false);
  expect(needsBudget(anInstance({spec: external, status: {...running, phase: 'Failed'}}))).toBe(false);
});

test('a guest must leave the node that it runs on while that is drained, and may stay when it no longer is', () => {
  const vmi = anInstance({spec: external, status: running});
  expect(evacuationNode(vmi, true)).toBe('n1');
  expect(evacuationNode(vmi, false)).toBeUndefined();
  expect(evacuationNode(anInstance({status: running}), true)).toBeUndefined();
  expect(evacuationNode(anInstance({spec: external}), true)).toBeUndefined();
});
