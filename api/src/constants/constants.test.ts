import {expect, test} from '@jest/globals';
import {
  Annotation,
  EventReason,
  Finalizer,
  InstanceCondition,
  instancePhases,
  isFinal,
  Label,
  MachineCondition,
  Phase,
  reservedLabels,
} from './index.ts';

test('only a run that ended is final: one that is unknown may still be running', () => {
  expect(instancePhases.filter(isFinal)).toEqual([Phase.Succeeded, Phase.Failed]);
  expect(isFinal(undefined)).toBe(false);
});

test('what is ours lies under wherry.dev, what tools of KubeVirt look for under kubevirt.io', () => {
  const keys = [...Object.values(Label), ...Object.values(Annotation), ...Object.values(Finalizer)];
  for (const key of keys) {
    expect(key).toMatch(/^((wherry\.dev|((vm|vmi)\.)?kubevirt\.io|kubectl\.kubernetes\.io)\/)?[A-Za-z.-]+$/);
  }
  expect(new Set(keys).size).toBe(keys.length);
});

test('types and reasons of conditions and events are words that Kubernetes takes', () => {
  const types = [...Object.values(InstanceCondition), ...Object.values(MachineCondition)];
  for (const type of types) {
    expect(type).toMatch(/^([a-z.]+\/)?[A-Z][A-Za-z]+$/);
  }
  for (const reason of Object.values(EventReason)) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
  }
});

test('a template may carry the name of its machine, but none of the labels that pods are found by', () => {
  expect(reservedLabels).toContain(Label.createdBy);
  expect(reservedLabels).not.toContain(Label.vmName);
});
