import {expect, test} from '@jest/globals';
import type {PersistentVolumeClaim} from '@wherry/kube';
import {aClaim, anInstance, claimDisk} from '../testing/fixtures.ts';
import {volumeStatuses} from './volume-status.ts';

const claims = (...all: readonly PersistentVolumeClaim[]): ReadonlyMap<string, PersistentVolumeClaim> =>
  new Map(all.map(one => [one.metadata?.name ?? '', one]));

const infoOf = (claim: PersistentVolumeClaim) =>
  volumeStatuses(anInstance({spec: claimDisk('data')}), claims(claim))?.[0]?.persistentVolumeClaimInfo;

test('a claim whose storage was filled when it was made says so', () => {
  for (const mark of ['cdi.kubevirt.io/storage.preallocation', 'user.custom.annotation/storage.thick-provisioned']) {
    const metadata = {name: 'data', annotations: {[mark]: 'true'}};
    expect(infoOf(aClaim('data', {metadata}))).toMatchObject({preallocated: true});
    expect(infoOf(aClaim('data', {metadata: {name: 'data', annotations: {[mark]: 'false'}}}))).not.toHaveProperty(
      'preallocated',
    );
  }
  expect(infoOf(aClaim('data'))).not.toHaveProperty('preallocated');
});

test('every volume has an entry, those over a claim with what is known of it', () => {
  const volumes = [
    {name: 'root', containerDisk: {image: 'x'}},
    {name: 'golden', ephemeral: {persistentVolumeClaim: {claimName: 'data'}}},
    {name: 'conf', configMap: {name: 'c'}},
  ];
  expect(volumeStatuses(anInstance({spec: {volumes}}), claims(aClaim('data')))).toEqual([
    {name: 'root', target: ''},
    {
      name: 'golden',
      target: '',
      persistentVolumeClaimInfo: expect.objectContaining({claimName: 'data', volumeMode: 'Filesystem'}),
    },
    {name: 'conf', target: ''},
  ]);
});
