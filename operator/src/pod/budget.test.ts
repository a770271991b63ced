import {expect, test} from '@jest/globals';
import {anInstance, config, runners} from '../testing/fixtures.ts';
import {renderBudget} from './budget.ts';
import {renderPod} from './render.ts';

test('a budget keeps the one pod of its run, and goes with the run', () => {
  const budget = renderBudget(anInstance());
  expect(budget.spec?.minAvailable).toBe(1);
  const {metadata} = renderPod(anInstance(), runners.kvm, config, new Map());
  for (const [label, value] of Object.entries(budget.spec?.selector?.matchLabels ?? {}))
    expect(metadata.labels?.[label]).toBe(value);
  expect(budget.metadata.ownerReferences).toEqual(metadata.ownerReferences);
  expect(renderBudget(anInstance({metadata: {uid: 'other'}})).metadata.name).not.toBe(budget.metadata.name);
});
