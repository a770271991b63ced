import {expect, test} from '@jest/globals';
import {withQuery} from './query.ts';

test('only what is set becomes a parameter', () => {
  expect(withQuery('/pods', {limit: 500, continue: undefined, force: false, watch: true})).toBe(
    '/pods?limit=500&watch=true',
  );
  expect(withQuery('/pods', {continue: undefined})).toBe('/pods');
});

test('selectors are escaped', () => {
  expect(withQuery('/pods', {labelSelector: 'a in (b,c)&x=y'})).toBe('/pods?labelSelector=a+in+%28b%2Cc%29%26x%3Dy');
});
