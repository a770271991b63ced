import {readFileSync} from 'node:fs';
import {expect, test} from '@jest/globals';
import {isNativeError, NativeError, NativeErrorNumber, nativeErrorOf} from './errors.ts';

test('the error numbers are those of the Rust library', () => {
  const source = readFileSync(new URL('../host/src/error.rs', import.meta.url), 'utf8');
  const body = /pub enum Code \{([^}]*)\}/.exec(source)?.[1] ?? '';
  const inRust = Object.fromEntries(
    [...body.matchAll(/(\w+) = (\d+),/g)].map(([, name, number]) => [name, Number(number)]),
  );
  expect(inRust).toEqual(NativeErrorNumber);
});

test('a number becomes an error with its code, errno and text', () => {
  const error = nativeErrorOf(NativeErrorNumber.Refused, 111, 'connecting to launcher.sock: Connection refused');
  expect(error).toBeInstanceOf(NativeError);
  expect(error).toMatchObject({code: 'Refused', errno: 111});
  expect(error.message).toBe('connecting to launcher.sock: Connection refused');
});

test('a number from a newer library is a System error', () => {
  expect(nativeErrorOf(4711, 5, 'new').code).toBe('System');
});

test('isNativeError tells codes apart and lets every code pass when none is named', () => {
  const error = new NativeError('Busy', 'busy');
  expect(isNativeError(error, 'Refused', 'Busy')).toBe(true);
  expect(isNativeError(error, 'Refused')).toBe(false);
  expect(isNativeError(error)).toBe(true);
  expect(isNativeError(new Error('other'))).toBe(false);
  expect(isNativeError(undefined, 'Busy')).toBe(false);
});
