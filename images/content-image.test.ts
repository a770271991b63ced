import {expect, test} from '@jest/globals';
import {superseded} from './content-image.ts';

const ref = (digit: string): string => `wherry/launcher:${digit.repeat(12)}`;

test('the three latest builds of an image are kept', () => {
  expect(superseded([ref('a'), ref('b'), ref('c'), ref('d'), ref('e')])).toEqual([ref('d'), ref('e')]);
  expect(superseded([ref('a'), ''])).toEqual([]);
});

test('a name that manifests use is never taken away, however old', () => {
  expect(superseded([ref('a'), ref('b'), ref('c'), 'wherry/guest-debian:13', 'wherry/guest-tiny:1'])).toEqual([]);
});
