import {expect, test} from '@jest/globals';
import {anInstance, config, running} from '../testing/fixtures.ts';
import {evacuationNode, isExternal, needsBudget} from './eviction.ts';

const external = {evictionStrategy: 'External'} as const;
const deletionTimestamp = '2026-01-01T00:00:00Z';

test('only the strategy External leaves an eviction to somebody else', () => {
  expect(isExternal(anInstance({spec: external}), config)).toBe(true);
  for (const evictionStrategy of ['', 'None'] as const)
    expect(isExternal(anInstance({spec: {evictionStrategy}}), config)).toBe(false);
  expect(isExternal(anInstance(), config)).toBe(false);
});

test('a run that ended, or goes, need not be protected', () => {
  expect(needsBudget(anInstance({spec: external}), config)).toBe(true);
  expect(needsBudget(anInstance({spec: external, metadata: {deletionTimestamp}}), config)).toBe(false);
  expect(needsBudget(anInstance({spec: external, status: {...running, phase: 'Failed'}}), config)).toBe(false);
});

test('a guest must leave the node that it runs on while that is drained, and may stay when it no longer is', () => {
  const vmi = anInstance({spec: external, status: running});
  expect(evacuationNode(vmi, true, config)).toBe('n1');
  expect(evacuationNode(vmi, false, config)).toBeUndefined();
  expect(evacuationNode(anInstance({status: running}), true, config)).toBeUndefined();
  expect(evacuationNode(anInstance({spec: external}), true, config)).toBeUndefined();
});

test('an instance that does not say it follows the cluster, and one that does, itself', () => {
  const cluster = {evictionStrategy: 'External'} as const;
  expect(isExternal(anInstance(), cluster)).toBe(true);
  expect(isExternal(anInstance({spec: {evictionStrategy: ''}}), cluster)).toBe(true);
  expect(isExternal(anInstance({spec: {evictionStrategy: 'None'}}), cluster)).toBe(false);
  expect(evacuationNode(anInstance({status: running}), true, cluster)).toBe('n1');
});
