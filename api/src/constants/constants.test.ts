import {expect, test} from '@jest/globals';
import {
  Annotation,
  conditionGuide,
  conditionProblem,
  endGuide,
  EndReason,
  endReasonOf,
  EventReason,
  Finalizer,
  InstanceCondition,
  instancePhases,
  isFinal,
  Label,
  MachineCondition,
  Phase,
  printableStatuses,
  Reason,
  reservedLabels,
  statusGuide,
} from './index.ts';
import {LauncherExit} from '../wire/launcher.ts';

test('only a run that ended is final: one that is unknown may still be running', () => {
  expect(instancePhases.filter(isFinal)).toEqual([Phase.Succeeded, Phase.Failed]);
  expect(isFinal(undefined)).toBe(false);
});

test('what is ours lies under wherry.dev, what tools of KubeVirt look for under kubevirt.io', () => {
  const keys = [...Object.values(Label), ...Object.values(Annotation), ...Object.values(Finalizer)];
  for (const key of keys) {
    expect(key).toMatch(/^((wherry\.dev|((vm|vmi)\.)?kubevirt\.io|(kubectl\.)?kubernetes\.io)\/)?[A-Za-z.-]+$/);
  }
  expect(new Set(keys).size).toBe(keys.length);
});

test('types and reasons of conditions and events are words that Kubernetes takes', () => {
  const types = [...Object.values(InstanceCondition), ...Object.values(MachineCondition)];
  for (const type of types) {
    expect(type).toMatch(/^([a-z.]+\/)?[A-Z][A-Za-z]+$/);
  }
  for (const reason of [...Object.values(EventReason), ...Object.values(Reason), ...Object.values(EndReason)]) {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
  }
});

test('every type and every reason is explained, and none is explained that nobody has', () => {
  const types = [...Object.values(InstanceCondition), ...Object.values(MachineCondition)];
  expect(new Set(conditionGuide.map(({type}) => type))).toEqual(new Set(types));
  const explained = conditionGuide.flatMap(({reasons}) => Object.values(reasons)).flatMap(one => Object.keys(one));
  expect(Object.values(Reason).filter(reason => !explained.includes(reason))).toEqual([]);
  expect(Object.keys(endGuide).toSorted()).toEqual(Object.values(EndReason).toSorted());
  expect(Object.keys(statusGuide).toSorted()).toEqual([...printableStatuses].toSorted());
});

const problemOf = (type: string, status: string, reason?: string) =>
  conditionProblem('VirtualMachineInstance', {type, status, ...(reason === undefined ? {} : {reason})});

test('a condition with another word than the list has is found', () => {
  expect(problemOf('Ready', 'False', 'PodNotExists')).toBeUndefined();
  expect(problemOf('Ready', 'True', 'PodNotExists')).toBe('Ready=True has no reason PodNotExists');
  expect(problemOf('Ready', 'False')).toBe('Ready=False has no reason (none)');
  expect(problemOf('Fine', 'True', 'Why')).toBe('VirtualMachineInstance has no condition Fine');
  expect(problemOf('RestartRequired', 'True', 'SpecChanged')).toBe(
    'VirtualMachineInstance has no condition RestartRequired',
  );
});

test('how a launcher ends is how a run ends', () => {
  expect(Object.keys(endGuide)).toEqual(expect.arrayContaining(Object.keys(LauncherExit)));
});

test('a word of somebody else is a reason only where the list has it', () => {
  expect(endReasonOf('Evicted')).toBe('Evicted');
  expect(endReasonOf('Weary')).toBeUndefined();
  expect(endReasonOf(undefined)).toBeUndefined();
});

test('a template may carry the name of its machine, but none of the labels that pods are found by', () => {
  expect(reservedLabels).toContain(Label.createdBy);
  expect(reservedLabels).not.toContain(Label.vmName);
});
