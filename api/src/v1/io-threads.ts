/** Threads of the node that serve disks beside the one that serves everything. */
import {enumeration, integer, object, optional, type Rule} from '../schema/index.ts';

export const ioThreads = object('The threads of the policy supplementalPool.', {
  supplementalPoolThreadCount: optional(
    integer('How many threads serve all virtio disks together.', {minimum: 1, maximum: 256}),
  ),
});

export const ioThreadsPolicy = enumeration(
  'How virtio disks get threads. shared: one for all that have none of their own. auto: as many as there are disks, at ' +
    'most two for each vCPU. supplementalPool: all disks are served by the threads of ioThreads. Defaults to shared where ' +
    'a disk has a thread of its own, else no disk has one.',
  ['', 'shared', 'auto', 'supplementalPool'],
);

export const ioThreadRules: readonly Rule[] = [
  {
    rule:
      "!has(self.ioThreadsPolicy) || self.ioThreadsPolicy != 'supplementalPool' || " +
      'self.?ioThreads.?supplementalPoolThreadCount.hasValue()',
    message: 'supplementalPool needs a number of threads, as ioThreads: {supplementalPoolThreadCount: 2}',
    fieldPath: '.ioThreadsPolicy',
    reason: 'FieldValueRequired',
  },
];
