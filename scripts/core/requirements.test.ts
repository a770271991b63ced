import {expect, test} from '@jest/globals';
import {requirePrograms} from './requirements.ts';

test('names every program that is missing, with its package', () => {
  const programs = {sh: 'dash', 'no-such-a': 'package-a', 'no-such-b': 'package-b'};
  expect(() => requirePrograms('this test', programs)).toThrow(
    'this test needs no-such-a, no-such-b; on Debian: apt-get install package-a package-b',
  );
});

test('is content where nothing is missing', () => {
  expect(() => requirePrograms('this test', {sh: 'dash'})).not.toThrow();
});

test('looks only in the folders of PATH', () => {
  expect(() => requirePrograms('this test', {sh: 'dash'}, '/proc/self')).toThrow('sh');
});
