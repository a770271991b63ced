import {expect, test} from '@jest/globals';
import {imageSource, officialNodeImage} from './node-image.ts';

const reached = (image: string): Promise<boolean> => Promise.resolve(image === officialNodeImage);
const neverAsked = (): Promise<boolean> => Promise.reject(new Error('asked'));
const unreached = (): Promise<boolean> => Promise.resolve(false);

test('takes images from their registries where the official node image can be had', async () => {
  expect(await imageSource({env: {}, obtainable: reached})).toBe('registry');
});

test('makes them here where it cannot', async () => {
  expect(await imageSource({env: {}, obtainable: unreached})).toBe('local');
});

test.each(['registry', 'local'])('does not ask where WHERRY_IMAGES says %s', async wish => {
  expect(await imageSource({env: {WHERRY_IMAGES: wish}, obtainable: neverAsked})).toBe(wish);
});

test('the official image is pinned by digest', () => {
  expect(officialNodeImage).toMatch(/^kindest\/node:v1\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
});
