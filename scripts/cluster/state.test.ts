import {expect, test} from '@jest/globals';
import {nextAction, type Observed} from './state.ts';

const image = 'node:1';
const wanted = {image, nodes: 2};
const container = (name: string, running = true) => ({name, image, running});
const healthy: Observed = {
  containers: [container('w-control-plane'), container('w-worker')],
  ready: ['w-control-plane', 'w-worker'],
};

test('keeps a cluster whose nodes are all ready', () => {
  expect(nextAction(healthy, wanted)).toEqual({do: 'keep'});
});

test('creates a cluster where there is none', () => {
  expect(nextAction({containers: [], ready: undefined}, wanted)).toEqual({do: 'create'});
});

test('replaces a cluster whose creation was interrupted', () => {
  const observed = {...healthy, containers: healthy.containers.slice(0, 1)};
  expect(nextAction(observed, wanted)).toEqual({do: 'replace', because: expect.stringContaining('1 of 2 nodes')});
});

test('starts a cluster whose containers are stopped', () => {
  const observed = {containers: [container('w-control-plane'), container('w-worker', false)], ready: undefined};
  expect(nextAction(observed, wanted)).toEqual({do: 'start'});
});

test('replaces a cluster of another node image, even a stopped one', () => {
  const observed = {...healthy, containers: healthy.containers.map(one => ({...one, image: 'node:0', running: false}))};
  expect(nextAction(observed, wanted)).toEqual({do: 'replace', because: expect.stringContaining('node:0')});
});

test('replaces a cluster whose API server does not answer', () => {
  expect(nextAction({...healthy, ready: undefined}, wanted).do).toBe('replace');
});

test('names the nodes that are not ready', () => {
  const action = nextAction({...healthy, ready: ['w-control-plane']}, wanted);
  expect(action).toEqual({do: 'replace', because: 'not ready: w-worker'});
});
