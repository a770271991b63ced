import {expect, test} from '@jest/globals';
import {milestoneRows, type Recovery, type Start, whyRecovery, whyStart} from './timeline.ts';

const start = (container: number, engine: number, runs: number): Start => ({
  'instance made': 0.05,
  'pod made': 0.07,
  'pod has a node': 0.09,
  'container runs': container,
  'handed over': container + 0.04,
  'QEMU started': engine,
  'guest runs': runs,
});

const recovery = (reported: number, made: number, runs: number): Recovery => ({
  'pod’s end reported': reported,
  'run ended': reported + 0.1,
  'next instance made': made,
  'next container runs': made + 0.8,
  'next guest runs': runs,
});

test('each milestone has its median', () => {
  const timelines = [
    {made: 1, runs: 5},
    {made: 2, runs: 3},
    {made: 3, runs: 9},
  ];
  expect(milestoneRows(['made', 'runs'], timelines)).toEqual([
    ['made', '2 s'],
    ['runs', '5 s'],
  ]);
});

test('why a start takes its time is told by its steps, each the median of what passed in one run', () => {
  // The median start of QEMU is not that of the run with the median end.
  const timelines = [start(0.87, 1, 1.5), start(0.97, 1.2, 1.3), start(0.77, 0.8, 1)];
  expect(whyStart(timelines)).toBe(
    'by p50, the pod is made after 0.07 s, its container runs 0.8 s later, QEMU is started 0.13 s after that, and is up and reported after 0.2 s more',
  );
});

test('why a recovery takes its time is told by its steps', () => {
  const timelines = [recovery(0.5, 0.7, 2), recovery(0.4, 0.9, 2), recovery(0.6, 0.9, 2.1)];
  expect(whyRecovery(timelines)).toBe(
    'by p50, the pod’s end is reported 0.5 s after the kill, the next run is made 0.3 s later, and its start takes 1.2 s',
  );
});
