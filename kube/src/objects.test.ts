import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {controllerOf, isAtLeast, keyOf, keyText, parseKey} from './objects.ts';

test('a key has a namespace only where the object has one', () => {
  expect(keyOf({metadata: {namespace: 'default', name: 'web', uid: 'u'}})).toEqual({namespace: 'default', name: 'web'});
  expect(keyOf({metadata: {name: 'node-1'}})).toEqual({name: 'node-1'});
});

test('an object that was never stored has no key', () => {
  expect(() => keyOf({metadata: {generateName: 'web-'}})).toThrow(TypeError);
});

test('the text of a key reads back as the key, for every name that Kubernetes allows', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
  const key = fc.oneof(fc.record({name}), fc.record({namespace: name, name}));
  fc.assert(fc.property(key, one => expect(parseKey(keyText(one))).toEqual(one)));
});

const owner = (name: string, controller?: boolean) => ({
  apiVersion: 'v1',
  kind: 'Boat',
  name,
  uid: name,
  ...(controller === undefined ? {} : {controller}),
});

test('the controller is the one owner that says so', () => {
  expect(controllerOf({metadata: {ownerReferences: [owner('a'), owner('b', false), owner('c', true)]}})?.name).toBe(
    'c',
  );
  expect(controllerOf({metadata: {ownerReferences: [owner('a')]}})).toBeUndefined();
  expect(controllerOf({metadata: {}})).toBeUndefined();
});

test('resource versions compare as integers of any size, not as text', () => {
  expect(isAtLeast('9', '10')).toBe(false);
  expect(isAtLeast('10', '9')).toBe(true);
  expect(isAtLeast('9007199254740993', '9007199254740992')).toBe(true);
  const version = fc.bigInt({min: 0n, max: 2n ** 80n});
  fc.assert(fc.property(version, version, (a, b) => isAtLeast(String(a), String(b)) === a >= b));
});
