import {InstanceCondition, type InstanceStatus} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {anInstance, aPod, exited, isRunning, running, scheduled} from '../testing/fixtures.ts';
import {engineMayLive, type Evidence} from './engine-life.ts';

const evidence = (status: InstanceStatus, rest: Partial<Evidence> = {}): Evidence => ({
  vmi: anInstance({status}),
  pod: undefined,
  nodeFenced: false,
  ...rest,
});

const said = (status: 'True' | 'False'): InstanceStatus => ({
  ...running,
  conditions: [{type: InstanceCondition.EngineActive, status}],
});

const table: [sentence: string, evidence: Evidence, mayLive: boolean][] = [
  ['a run that was never handed to a node has no engine', evidence({phase: 'Scheduling'}), false],
  ['a run that was just handed over may have one', evidence(scheduled), true],
  ['a running guest has one', evidence(running, {pod: aPod({state: isRunning})}), true],
  ['a running guest whose pod vanished may still have one', evidence(running), true],
  ['so may one whose daemon last said that it is active', evidence(said('True')), true],
  ['the daemon’s word that the launcher is gone settles it', evidence(said('False')), false],
  ['a container that was seen to end settles it', evidence(running, {pod: aPod({state: exited(0)})}), false],
  [
    'a container that the kubelet lost sight of settles nothing',
    evidence(running, {pod: aPod({state: exited(137, '', 'ContainerStatusUnknown')})}),
    true,
  ],
  [
    'a pod that the kubelet calls refused settles nothing',
    evidence(running, {pod: aPod({status: {phase: 'Failed', reason: 'NodeAffinity'}})}),
    true,
  ],
  ['a fenced node settles it', evidence(running, {nodeFenced: true}), false],
  ['a finished run has none', evidence({...running, phase: 'Failed'}), false],
];

test.each(table)('%s', (_sentence, given, mayLive) => {
  expect(engineMayLive(given)).toBe(mayLive);
});
