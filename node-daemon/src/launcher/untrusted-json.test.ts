import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {MAX_VALUES, parseUntrusted, valuesIn} from './untrusted-json.ts';

const parse = (text: string): unknown => parseUntrusted(Buffer.from(text), 'somebody');

/** Keys count as values, for they cost as much. */
const count = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 1;
  const keys = Array.isArray(value) ? 0 : Object.keys(value).length;
  return 1 + keys + Object.values(value).reduce<number>((sum, one) => sum + count(one), 0);
};

test('never fewer values are counted than there are', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(valuesIn(Buffer.from(JSON.stringify(value)))).toBeGreaterThanOrEqual(count(value));
    }),
  );
});

test('any bytes at all are a value or a protocol error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map(text => Buffer.from(text)),
      ),
      bytes => {
        try {
          parseUntrusted(bytes, 'somebody');
        } catch (error) {
          expect(error).toMatchObject({code: 'PROTOCOL'});
        }
      },
    ),
  );
});

test.each([
  ['brackets', '['.repeat(500_000) + ']'.repeat(500_000)],
  ['braces', '{"":'.repeat(200_000) + '1' + '}'.repeat(200_000)],
  ['keys', `{${Array.from({length: 60_000}, (_, at) => `"${at}":0`).join()}}`],
  ['numbers', `[${'1,'.repeat(500_000)}1]`],
])('%s without end are refused before they are parsed', (_what, text) => {
  expect(() => parse(text)).toThrow(`somebody sent JSON with more than ${MAX_VALUES} values`);
});

test('a long text is one value', () => {
  expect(parse(`{"a":"${'x'.repeat(1_000_000)}"}`)).toEqual({a: 'x'.repeat(1_000_000)});
});
