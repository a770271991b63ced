import {afterAll, beforeAll, expect, test} from '@jest/globals';
import type {Client, ConfigMap} from '@wherry/kube';
import {setTimeout as sleep} from 'node:timers/promises';
import {Copier} from '../../integration/kube/copier.ts';
import {configMaps, keyIn, until, World} from '../../integration/kube/world.ts';
import {type Fault, FaultProxy, type RequestKind} from '../../support/fault-proxy.ts';

const playMs = 60_000;
const names = Array.from({length: 12}, (_, index) => `n${index}`);

let world: World;
let client: Client;
let proxy: FaultProxy;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  world = await World.open();
  client = await world.client();
  proxy = await FaultProxy.to(world.plane.admin);
}, 120_000);

afterAll(async () => {
  process.off('unhandledRejection', note);
  await proxy?.close();
  await world?.close();
}, 30_000);

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;

const faults: readonly Fault[] = [
  {do: 'answer', status: 503},
  {do: 'answer', status: 429, retryAfter: 1},
  {do: 'answer', status: 500},
  {do: 'answer', status: 410, body: {kind: 'Status', code: 410, reason: 'Expired'}},
  {do: 'answer', status: 200, body: {}},
  {do: 'cut', afterBytes: 200},
  {do: 'reset', afterBytes: 200},
  {do: 'trickle', bytes: 100, everyMs: 10},
  {do: 'delay', ms: 200},
  {do: 'silence'},
];

/** Of what a server does to a write, all but 200 without having done it: that would be a lie, not a fault. */
const faultsOfWrites = faults.filter(fault => !(fault.do === 'answer' && fault.status === 200));

const breakSomething = (): void => {
  const kind = pick<RequestKind>(['list', 'watch', 'watch', 'write']);
  proxy.next(kind, pick(kind === 'write' ? faultsOfWrites : faults));
  pick([() => proxy.dropWatches(), () => proxy.endWatches(), () => proxy.freezeWatches(), () => undefined])();
};

let text = 0;
const changeSomething = async (copier: Copier): Promise<void> => {
  const parent = copier.parent(pick(names), String((text += 1)));
  const key = keyIn(parent.metadata.name ?? '');
  const act = pick(['create', 'patch', 'patch', 'delete']);
  // What is there already, or is not, is as good a change as any; so is a server that is away.
  if (act === 'create') await client.create(configMaps, parent).catch(() => undefined);
  else if (act === 'delete') await client.delete(configMaps, key).catch(() => undefined);
  else await client.mergePatch(configMaps, key, {data: parent.data}).catch(() => undefined);
};

const again = async (everyMs: number, signal: AbortSignal, work: () => unknown): Promise<void> => {
  while (!signal.aborted) {
    await work();
    await sleep(everyMs);
  }
};

const stored = (role: string): Promise<readonly ConfigMap[]> =>
  client.list(configMaps, {labelSelector: `story=chaos,role=${role}`});

const described = (objects: readonly ConfigMap[]): string =>
  objects
    .map(({metadata, data}) => `${metadata.ownerReferences?.[0]?.name ?? metadata.name} ${data?.['text']}`)
    .toSorted()
    .join('\n');

test('a minute of faults and restarts of the API server loses nothing, does nothing twice and causes no storm', async () => {
  const via = await world.client({via: proxy, watchIdleMs: 3000, timeoutMs: 3000});
  const copier = await new Copier({client: via, story: 'chaos', derivedNames: true, staleMs: 3000}).start();
  const over = AbortSignal.timeout(playMs);
  const restart = async (): Promise<void> => {
    await sleep(playMs / 4);
    await world.plane.apiserver.restart();
  };
  await Promise.all([
    again(300, over, breakSomething),
    again(40, over, () => changeSomething(copier)),
    restart().then(restart),
  ]);
  const asked = proxy.count('list') + proxy.count('watch');
  proxy.mend();
  await until(
    'all is right after',
    async () => {
      const [parents, children] = await Promise.all([stored('parent'), stored('child')]);
      const wanted = described(parents);
      return [children, copier.parents.list(), copier.children.list()].every(objects => described(objects) === wanted);
    },
    60_000,
  );
  await copier.stop();
  // Two caches, broken three times a second: a list and a watch each time would be 12 a second.
  expect(asked / (playMs / 1000)).toBeLessThan(12);
  expect(unhandled).toEqual([]);
}, 240_000);
