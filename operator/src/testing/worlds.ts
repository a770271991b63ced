/** Worlds for tests: what a reconcile would have gathered. */
import type {World as MachineWorld} from '../virtualmachine/world.ts';
import type {World as InstanceWorld} from '../virtualmachineinstance/world.ts';
import {aMachine, aNode, anInstance, config} from './fixtures.ts';

export const anInstanceWorld = (overrides: Partial<InstanceWorld> = {}): InstanceWorld => ({
  vmi: anInstance(),
  pod: undefined,
  lastWords: undefined,
  strays: [],
  claims: new Map(),
  complaints: [],
  lookAgainMs: undefined,
  nodes: [aNode()],
  nodeFenced: false,
  nodeReady: true,
  daemon: 'answers',
  nodeDraining: false,
  budget: false,
  config,
  ...overrides,
});

export const aMachineWorld = (overrides: Partial<MachineWorld> = {}): MachineWorld => ({
  vm: aMachine(),
  vmi: undefined,
  claims: new Map(),
  ...overrides,
});

/** The time in tests, in milliseconds since the epoch. */
export const now = Date.parse('2026-01-01T00:01:00Z');

export const timeStamped = '2026-01-01T00:01:00Z';
