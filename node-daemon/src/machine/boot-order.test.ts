import {expect, test} from '@jest/globals';
import {bootIndices} from './boot-order.ts';

const image = {source: {from: 'image'}};
const seed = {source: {from: 'seed'}};

test('disks are tried as they are listed, a seed and the network never', () => {
  expect(bootIndices([image, seed, image], [{}])).toEqual({disks: [1, undefined, 3], interfaces: [undefined]});
});

test('one boot order anywhere makes all devices without one no candidates', () => {
  expect(bootIndices([image, {...image, bootOrder: 7}], [{}])).toEqual({
    disks: [undefined, 7],
    interfaces: [undefined],
  });
  expect(bootIndices([image], [{bootOrder: 1}])).toEqual({disks: [undefined], interfaces: [1]});
});

test('disks and interfaces share one order, and a seed may be asked for by name', () => {
  const both = bootIndices(
    [
      {...image, bootOrder: 2},
      {...seed, bootOrder: 3},
    ],
    [{bootOrder: 1}, {}],
  );
  expect(both).toEqual({disks: [2, 3], interfaces: [1, undefined]});
});

test('a machine without devices has nothing to boot from', () => {
  expect(bootIndices([], [])).toEqual({disks: [], interfaces: []});
});
