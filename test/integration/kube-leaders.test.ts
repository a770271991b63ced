import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type Client, coordination, isConflict, type Lease, LeaseLostError} from '@wherry/kube';
import {setTimeout as sleep} from 'node:timers/promises';
import {repository} from '../../scripts/core/paths.ts';
import {Copier} from './kube/copier.ts';
import {act, effects, electionOf, times} from './kube/effects.ts';
import {configMap, configMaps, keyIn, until, World} from './kube/world.ts';

jest.setTimeout(60_000);

let world: World;
let client: Client;
const children: ChildProcess[] = [];

beforeAll(async () => {
  world = await World.open();
  client = await world.client();
}, 90_000);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await world?.close();
}, 30_000);

const leaseOf = (name: string): Promise<Lease | undefined> => client.get(coordination.leases, keyIn(name));
const leaseKey = (name: string) => ({namespace: 'default', name});

/** Leads, and does what `lead` does; told as it happens. */
const contend = (
  name: string,
  identity: string,
  via: Client,
  lead: (signal: AbortSignal, mine: ReturnType<typeof electionOf>) => Promise<void>,
) => {
  const stop = new AbortController();
  const election = electionOf({client: via, identity, lease: leaseKey(name)});
  const story = {leadingFrom: 0, stop, end: Promise.resolve<unknown>(undefined)};
  story.end = election
    .run(stop.signal, async signal => {
      story.leadingFrom = Number((await leaseOf(name))?.metadata.resourceVersion);
      await lead(signal, election);
    })
    .then(
      () => 'stopped',
      (error: unknown) => error,
    );
  return story;
};

/** As the kernel names it: T is stopped. */
const stateOf = ({pid}: ChildProcess): string => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';

const waiting = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve(), {once: true}));

test('a leader that was stopped for a while does nothing once another leads, not even what it was in the middle of', async () => {
  const file = join(repository, 'test/integration/kube/leader-process.ts');
  const child = spawn(process.execPath, [file, world.plane.kubeconfig, 'paused'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit');
  await until('the child leads', () => said.includes('leading'));
  await until('it has stopped itself', () => stateOf(child) === 'T');
  expect(await effects(client, 'child')).toHaveLength(50);
  const heir = contend('paused', 'heir', client, waiting);
  await until('another leads', () => heir.leadingFrom > 0);
  child.kill('SIGCONT');
  await ended;
  expect(said).toBe('leading\nlost\n');
  expect(await effects(client, 'child')).toHaveLength(50);
  heir.stop.abort();
  expect(await heir.end).toBe('stopped');
});

test('a leader that can reach all but its lease has ended what it does before another leads', async () => {
  const relay = await world.relay();
  const cutOff = await world.client({via: relay});
  const one = contend('cut', 'one', cutOff, (signal, election) =>
    act(
      client.guardedBy(() => election.assertLeading()),
      'one',
      signal,
    ),
  );
  await until('it does things', async () => (await effects(client, 'one')).length > 50);
  const two = contend('cut', 'two', client, waiting);
  relay.freeze();
  await until('another leads', () => two.leadingFrom > 0);
  expect(await one.end).toBeInstanceOf(LeaseLostError);
  await sleep(500);
  expect(Math.max(...(await effects(client, 'one')))).toBeLessThan(two.leadingFrom);
  two.stop.abort();
  await two.end;
});

test('a lease that is deleted is taken again by its leader, and a standby does not take it', async () => {
  const one = contend('deleted', 'one', client, waiting);
  await until('one leads', () => one.leadingFrom > 0);
  const two = contend('deleted', 'two', client, waiting);
  await sleep(times.retryMs * 2);
  await client.delete(coordination.leases, leaseKey('deleted'));
  await until('it is there again', async () => (await leaseOf('deleted')) !== undefined);
  expect((await leaseOf('deleted'))?.spec?.holderIdentity).toBe('one');
  expect(two.leadingFrom).toBe(0);
  one.stop.abort();
  expect(await one.end).toBe('stopped');
  two.stop.abort();
  await two.end;
});

test('a lease that is given to another by hand ends its leader at its next renewal', async () => {
  const one = contend('taken', 'one', client, waiting);
  await until('one leads', () => one.leadingFrom > 0);
  const began = performance.now();
  const spec = {holderIdentity: 'somebody', leaseDurationSeconds: 60};
  await client.mergePatch(coordination.leases, leaseKey('taken'), {spec});
  expect(await one.end).toBeInstanceOf(LeaseLostError);
  expect(performance.now() - began).toBeLessThan(times.renewDeadlineMs);
  expect((await leaseOf('taken'))?.spec?.holderIdentity).toBe('somebody');
});

test('two that both believe to lead do nothing twice: each write holds only for what it was decided on', async () => {
  await client.create(configMaps, configMap('count', {n: '0'}));
  const increase = async (): Promise<void> => {
    for (let done = 0; done < 20; ) {
      const {metadata, data} = (await client.get(configMaps, keyIn('count'))) ?? configMap('count');
      const {resourceVersion} = metadata;
      const patch = {metadata: {resourceVersion}, data: {n: String(Number(data?.['n']) + 1)}};
      const conflict = await client.mergePatch(configMaps, keyIn('count'), patch).then(() => false, isConflict);
      if (!conflict) done += 1;
    }
  };
  await Promise.all([increase(), increase(), increase()]);
  expect((await client.get(configMaps, keyIn('count')))?.data?.['n']).toBe('60');
});

test('two operators at once make one child of each parent, for its name follows from the parent', async () => {
  const story = 'rivals';
  const rivals = await Promise.all(
    [1, 2].map(async () => new Copier({client: await world.client(), story, derivedNames: true}).start()),
  );
  const [one] = rivals;
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await client.create(configMaps, (one as Copier).parent(name, 'x'));
  const made = () => client.list(configMaps, {labelSelector: `story=${story},role=child`});
  await until('all are made', async () => (await made()).length >= names.length);
  await sleep(300);
  expect(await made()).toHaveLength(names.length);
  await Promise.all(rivals.map(rival => rival.stop()));
});
