import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {hostnameOf, labelValueOf, podNameOf} from './names.ts';

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelPart = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const objectName = fc.array(labelPart, {minLength: 1, maxLength: 10}).map(parts => parts.join('.'));

test('a pod is named after its instance, and by its run', () => {
  expect(podNameOf('web', 'uid-1')).toMatch(/^virt-launcher-web-[0-9a-f]{10}$/);
  expect(podNameOf('web', 'uid-1')).toBe(podNameOf('web', 'uid-1'));
  expect(podNameOf('web', 'uid-1')).not.toBe(podNameOf('web', 'uid-2'));
});

test('every name of an object gives a pod name, a label value and a host name that Kubernetes takes', () => {
  fc.assert(
    fc.property(objectName, fc.uuid(), (name, uid) => {
      for (const given of [podNameOf(name, uid), hostnameOf(name)]) {
        expect(given).toMatch(dnsLabel);
        expect(given.length).toBeLessThanOrEqual(63);
      }
      expect(labelValueOf(name)).toMatch(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/);
      expect(labelValueOf(name).length).toBeLessThanOrEqual(63);
    }),
  );
});

test('names that are cut stay apart', () => {
  const long = 'x'.repeat(80);
  expect(labelValueOf(`${long}a`)).not.toBe(labelValueOf(`${long}b`));
  expect(labelValueOf('short')).toBe('short');
});

test('a cut never ends in a dash or dot', () => {
  expect(podNameOf(`${'a'.repeat(37)}-.-${'b'.repeat(30)}`, 'uid')).toMatch(/a-[0-9a-f]{10}$/);
  expect(labelValueOf(`${'a'.repeat(50)}.-${'b'.repeat(30)}`)).toMatch(/a-[0-9a-f]{10}$/);
});

test('the host name is what the spec says, else the first label of the name', () => {
  expect(hostnameOf('web.example', 'db')).toBe('db');
  expect(hostnameOf('web.example')).toBe('web');
  expect(hostnameOf('web.example', '')).toBe('web');
});
