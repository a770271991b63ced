import {expect, test} from '@jest/globals';
import {parseConfig} from './config.ts';

const text = (overrides: object = {}): string => JSON.stringify({launcherImage: 'launcher:1', ...overrides});

test('only the image of the launcher must be given', () => {
  expect(parseConfig(text())).toEqual({
    launcherImage: 'launcher:1',
    imagePullPolicy: 'IfNotPresent',
    logLevel: 'info',
    allowEmulation: false,
    cpuAllocationRatio: 10,
    memoryOvercommit: 100,
    evictionStrategy: 'None',
    disableSerialConsoleLog: false,
  });
});

test('keeps what is given', () => {
  const given = {
    launcherImage: 'launcher:2',
    imagePullPolicy: 'Never',
    logLevel: 'debug',
    allowEmulation: true,
    cpuAllocationRatio: 4,
    memoryOvercommit: 150,
    evictionStrategy: 'External',
    disableSerialConsoleLog: true,
  };
  expect(parseConfig(JSON.stringify(given))).toEqual(given);
});

test('ignores what only a later version knows', () => {
  expect(parseConfig(text({migrations: {parallel: 2}}))).not.toHaveProperty('migrations');
});

test.each([
  ['an empty image', {launcherImage: ''}, 'launcherImage must not be empty'],
  ['an image of spaces', {launcherImage: ' '}, 'launcherImage must match'],
  ['no image', {launcherImage: undefined}, 'launcherImage must be given'],
  ['an image that is null', {launcherImage: null}, 'launcherImage must be a text'],
  ['a flag in quotes', {allowEmulation: 'true'}, 'allowEmulation must be true or false'],
  ['an unknown level', {logLevel: 'loud'}, 'logLevel must be one of trace, debug, info, warn, error'],
  ['a ratio of nothing', {cpuAllocationRatio: 0}, 'cpuAllocationRatio must be a whole number from 1 to 1000'],
  ['a ratio that is no integer', {cpuAllocationRatio: 2.5}, 'cpuAllocationRatio must be a whole number'],
  ['less than all memory', {memoryOvercommit: 50}, 'memoryOvercommit must be a whole number from 100 to 1000'],
  ['a strategy that guests cannot follow', {evictionStrategy: 'LiveMigrate'}, 'must be one of None, External'],
  ['an unknown policy', {imagePullPolicy: 'Sometimes'}, 'imagePullPolicy must be one of Always, IfNotPresent, Never'],
])('refuses %s and names the field', (_, wrong, message) => {
  expect(() => parseConfig(text(wrong))).toThrow(
    expect.objectContaining({code: 'CONFIG_INVALID', message: expect.stringContaining(message)}),
  );
});

test('names every wrong field at once', () => {
  expect(() => parseConfig('{"allowEmulation": 1}')).toThrow(/launcherImage must .*; allowEmulation must /);
});

test.each([
  ['', 'no JSON text'],
  ['launcherImage: x', 'no JSON text'],
  ['[]', 'must be a JSON object'],
  ['null', 'must be a JSON object'],
])('refuses the text %j', (wrong, message) => {
  expect(() => parseConfig(wrong)).toThrow(message);
});
