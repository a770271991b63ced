import {expect, test} from '@jest/globals';
import {changedFields, restartMessage} from './restart-required.ts';

test('the same spec needs no restart', () => {
  expect(changedFields({domain: {cpu: {cores: 1}}}, {domain: {cpu: {cores: 1}}})).toEqual([]);
});

test('a changed value is named by its path', () => {
  const running = {domain: {cpu: {cores: 1}, memory: {guest: '1Gi'}}, hostname: 'a'};
  const wanted = {domain: {cpu: {cores: 2}, memory: {guest: '2Gi'}}, hostname: 'a'};
  expect(changedFields(running, wanted)).toEqual(['domain.cpu.cores', 'domain.memory.guest']);
});

test('a list counts as one field', () => {
  expect(changedFields({volumes: [{name: 'a'}]}, {volumes: [{name: 'a'}, {name: 'b'}]})).toEqual(['volumes']);
});

test('a block that came or went is named at its top', () => {
  expect(changedFields({}, {nodeSelector: {disk: 'ssd'}})).toEqual(['spec']);
  expect(changedFields({hostname: 'a'}, {hostname: 'a', nodeSelector: {disk: 'ssd'}})).toEqual(['nodeSelector']);
});

test('the message names the fields and the remedy, and stays short', () => {
  expect(restartMessage(['domain.cpu.cores'])).toMatch(/domain\.cpu\.cores\. Restart the virtual machine/);
  const many = Array.from({length: 200}, (_, at) => `field${at}`);
  expect(restartMessage(many)).toMatch(/and 192 more/);
  expect(restartMessage(many).length).toBeLessThan(1024);
});
