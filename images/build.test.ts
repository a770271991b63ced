import {expect, test} from '@jest/globals';
import {imageNames} from './build.ts';

test('builds what is named, or all', () => {
  expect(imageNames(['guest-tiny', 'launcher'])).toEqual(['guest-tiny', 'launcher']);
  expect(imageNames([])).toEqual([
    'operator',
    'node-daemon',
    'launcher',
    'guest-tiny',
    'guest-tiny-disk',
    'guest-debian',
  ]);
});

test.each(['guest-windows', 'toString'])('refuses the unknown name %s, and tells the others', name => {
  expect(() => imageNames([name])).toThrow(`no image is called ${name}; there are operator, node-daemon, launcher`);
});
