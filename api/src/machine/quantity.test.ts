import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {bytesOf, millicoresOf, quantityOfBytes} from './quantity.ts';

test.each([
  [0, 0],
  [512, 512],
  ['512', 512],
  ['+5', 5],
  ['1k', 1000],
  ['1Ki', 1024],
  ['1.5Gi', 1_610_612_736],
  ['.5Mi', 524_288],
  ['2e8', 200_000_000],
  ['2E8', 200_000_000],
  ['15e-1', 2],
  ['1.', 1],
  ['7Pi', 7 * 2 ** 50],
])('%j is %d bytes, rounded up', (quantity, bytes) => {
  expect(bytesOf(quantity)).toBe(bytes);
});

test.each([
  ['500m', 500],
  [2, 2000],
  ['0.1', 100],
  ['1u', 1],
  ['100001n', 1],
  ['1.5', 1500],
])('%j is %d thousandths of a CPU, rounded up', (quantity, millicores) => {
  expect(millicoresOf(quantity)).toBe(millicores);
});

test.each(['', ' ', '-1', 'Mi', '.', '1 Gi', '1GB', '1K', '1mi', 'NaN', 'Infinity', '1e', '1e999', '8Pi'])(
  'refuses %j, and says how to write it',
  quantity => {
    expect(() => bytesOf(quantity)).toThrow(
      expect.objectContaining({code: 'QUANTITY_INVALID', message: expect.stringContaining('as 512Mi, 2G or 500m')}),
    );
  },
);

test.each([
  [0, '0'],
  [1000, '1000'],
  [1024, '1Ki'],
  [134_217_728, '128Mi'],
  [1_610_612_736, '1536Mi'],
  [2 ** 40, '1Ti'],
])('%d bytes are written as %s', (bytes, quantity) => {
  expect(quantityOfBytes(bytes)).toBe(quantity);
});

test('what is written is read back as the same bytes', () => {
  fc.assert(
    fc.property(fc.nat({max: 2 ** 40}), fc.constantFrom(1, 2 ** 10, 2 ** 12), (count, unit) => {
      expect(bytesOf(quantityOfBytes(count * unit))).toBe(count * unit);
    }),
  );
});

test('units keep their order', () => {
  const units = ['n', 'u', 'm', '', 'k', 'Ki', 'M', 'Mi', 'G', 'Gi', 'T', 'Ti', 'P', 'Pi'];
  fc.assert(
    fc.property(fc.integer({min: 1, max: 4}), fc.nat({max: units.length - 2}), (count, index) => {
      expect(bytesOf(`${count}${units[index]}`)).toBeLessThanOrEqual(bytesOf(`${count}${units[index + 1]}`));
    }),
  );
});
