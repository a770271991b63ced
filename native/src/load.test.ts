import {expect, test} from '@jest/globals';
import {libraryPath, loadHost} from './load.ts';
import {testNative} from './testing.ts';

test('the library is the one that the environment names', () => {
  expect(libraryPath({WHERRY_NATIVE_LIB: '/usr/lib/wherry/libwherry.so'}, ['/etc/passwd'])).toBe(
    '/usr/lib/wherry/libwherry.so',
  );
});

test('without the environment it is the first candidate that exists, else the first, so that the error names a path', () => {
  expect(libraryPath({}, ['/no/such', '/etc/passwd', '/etc/group'])).toBe('/etc/passwd');
  expect(libraryPath({WHERRY_NATIVE_LIB: ''}, ['/no/such', '/nor/this'])).toBe('/no/such');
});

test('a missing library says how to get it', () => {
  expect(() => loadHost('/no/such/libwherry.so')).toThrow(
    expect.objectContaining({code: 'LibraryMissing', message: expect.stringMatching(/\/no\/such.*cargo build/)}),
  );
});

test('another library is not taken for ours', () => {
  expect(() => loadHost('libc.so.6')).toThrow(expect.objectContaining({code: 'LibraryMismatch'}));
});

testNative('the library of this checkout loads', () => {
  expect(loadHost().abiVersion).toBe(1);
});
