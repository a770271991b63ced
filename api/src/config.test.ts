import {expect, test} from '@jest/globals';
import {parseConfig} from './config.ts';

const text = (overrides: object = {}): string => JSON.stringify({launcherImage: 'launcher:1', ...overrides});

test('only the image of the launcher must be given', () => {
  expect(parseConfig(text())).toEqual({
    launcherImage: 'launcher:1',
    imagePullPolicy: 'IfNotPresent',
    allowEmulation: false,
    logLevel: 'info',
  });
});

test('keeps what is given', () => {
  const given = {launcherImage: 'launcher:2', imagePullPolicy: 'Never', allowEmulation: true, logLevel: 'debug'};
  expect(parseConfig(JSON.stringify(given))).toEqual(given);
});

test('ignores what only a later version knows', () => {
  expect(parseConfig(text({migrations: {parallel: 2}}))).not.toHaveProperty('migrations');
});

test.each([
  ['an empty image', {launcherImage: ' '}, 'launcherImage must be a text that is not empty'],
  ['no image', {launcherImage: null}, 'launcherImage must be a text that is not empty'],
  ['a flag in quotes', {allowEmulation: 'true'}, 'allowEmulation must be true or false'],
  ['an unknown level', {logLevel: 'loud'}, 'logLevel must be one of trace, debug, info, warn, error'],
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
