import {expect, test} from '@jest/globals';
import {problemsIn, withDefaults} from './check.ts';
import {boolean, dnsLabel, defaulted, enumeration, integer, list, object, optional, string} from './index.ts';

const {json} = object('Something.', {
  name: dnsLabel('Its name.'),
  size: optional(integer('Its size.', {minimum: 1, maximum: 9})),
  colour: defaulted(enumeration('Its colour.', ['red', 'green']), 'red'),
  inner: optional(object('What is in it.', {flag: boolean('A flag.')})),
});

test('nothing is wrong with what the schema asks for, and unknown fields are not looked at', () => {
  expect(problemsIn(json, {name: 'a', size: 9, colour: 'green', inner: {flag: false}, later: 1})).toEqual([]);
});

test.each([
  [{name: 'A'}, /^name must match /],
  [{name: ''}, /^name must not be empty$/],
  [{name: 'a'.repeat(64)}, /^name must have at most 63 characters$/],
  [{name: 1}, /^name must be a text$/],
  [{}, /^name must be given$/],
  [{name: 'a', size: 10}, /^size must be a whole number from 1 to 9$/],
  [{name: 'a', size: '3'}, /^size must be a whole number/],
  [{name: 'a', colour: 'blue'}, /^colour must be one of red, green$/],
  [{name: 'a', inner: []}, /^inner must be an object$/],
  [{name: 'a', inner: {}}, /^inner\.flag must be given$/],
  [{name: 'a', inner: {flag: 'true'}}, /^inner\.flag must be true or false$/],
  [null, /^it must be an object$/],
])('of %j it says %s', (value, problem) => {
  expect(problemsIn(json, value)).toEqual([expect.stringMatching(problem)]);
});

test('every wrong field is named', () => {
  expect(problemsIn(json, {size: 0, colour: ''})).toHaveLength(3);
});

test('a schema of a type that it does not know is a fault of the programmer', () => {
  const lists = list('Names.', string('One.', {maxLength: 9}), {maxItems: 3});
  expect(() => problemsIn(lists.json, [])).toThrow(/array/);
});

test('defaults fill in what is missing, and what is unknown goes', () => {
  expect(withDefaults(json, {name: 'a', later: 1})).toEqual({name: 'a', colour: 'red'});
});
