import {expect, test} from '@jest/globals';
import {type Schema, withDefaults} from './defaults.ts';

const schema: Schema = {
  properties: {
    model: {default: 'virtio'},
    cards: {items: {properties: {model: {default: 'e1000'}}}},
    clock: {properties: {utc: {default: {}}}},
    state: {default: {}, properties: {link: {default: 'up'}}},
  },
};

test('what is missing is filled in, in lists and in defaults too, and what is there stays', () => {
  expect(withDefaults(schema, {cards: [{}, {model: 'igb', own: 1}]})).toEqual({
    model: 'virtio',
    cards: [{model: 'e1000'}, {model: 'igb', own: 1}],
    state: {link: 'up'},
  });
});

test('a parent that is not there gets no children', () => {
  expect(withDefaults(schema, {model: 'x'})).not.toHaveProperty('clock');
});
