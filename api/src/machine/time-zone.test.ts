import {expect, test} from '@jest/globals';
import {zoneOffsetSeconds} from './time-zone.ts';

const summer = Date.UTC(2026, 6, 1);

test.each([
  ['UTC', 0],
  ['Europe/Paris', 7200],
  ['America/New_York', -14_400],
  ['Asia/Kathmandu', 20_700],
  ['Etc/GMT+12', -43_200],
])('%s is %d s ahead in summer', (zone, seconds) => {
  expect(zoneOffsetSeconds(zone, summer)).toBe(seconds);
});

test('milliseconds do not matter, and what is no zone has no offset', () => {
  expect(zoneOffsetSeconds('Europe/Paris', summer + 999)).toBe(7200);
  expect(zoneOffsetSeconds('Mars/Olympus', summer)).toBeUndefined();
});
