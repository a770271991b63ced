import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type Client, type ConfigMap, core, EventRecorder, keyText, keyOf, TransportError} from '@wherry/kube';
import {setTimeout as sleep} from 'node:timers/promises';
import {FaultProxy} from '../support/fault-proxy.ts';
import {Copier, type CopierOptions} from './kube/copier.ts';
import {configMap, configMaps, keyIn, silent, until, World} from './kube/world.ts';

jest.setTimeout(180_000);

let world: World;
/** Straight to the API server. */
let client: Client;
const proxies: FaultProxy[] = [];
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  world = await World.open();
  client = await world.client();
  for (const [index, [name, fault]] of Object.entries(faults).entries()) {
    // Side by side, for each is waiting most of the time; not all at once, for the machine may be small.
    const before = stories.get(Object.keys(faults)[index - atOnce] ?? '');
    stories.set(
      name,
      quiet(
        Promise.resolve(before)
          .catch(() => undefined)
          .then(() => play(name, fault)),
      ),
    );
  }
}, 90_000);

afterAll(async () => {
  process.off('unhandledRejection', note);
  await Promise.all(proxies.map(proxy => proxy.close()));
  await world?.close();
}, 30_000);

interface Fault {
  /** Begins when all is well, before anything changes. */
  readonly begin: (proxy: FaultProxy) => void;
  /** Most lists and watches that it may cost the two caches. */
  readonly atMost: number;
  /** Children have names that follow from their parents: the only care that helps when an answer is lost. */
  readonly derivedNames?: true;
}

const expired = {kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410, reason: 'Expired', message: 'too old'};
/** Two caches: what is to happen to each of them happens twice. */
const both = 2;

/** A new list, which meets what stands in the way of lists. */
const relist = (proxy: FaultProxy): void => proxy.sayToWatches(JSON.stringify({type: 'ERROR', object: expired}));

const faults: Readonly<Record<string, Fault>> = {
  'watches are refused with 503': {
    begin: proxy => proxy.next('watch', {do: 'answer', status: 503}, 3 * both).dropWatches(),
    atMost: 8,
  },
  'watches are refused with 503 and a time to wait': {
    begin: proxy => proxy.next('watch', {do: 'answer', status: 503, retryAfter: 1}, both).dropWatches(),
    atMost: 4,
  },
  'watches are refused with 429': {
    begin: proxy => proxy.next('watch', {do: 'answer', status: 429, retryAfter: 1}, both).dropWatches(),
    atMost: 4,
  },
  'watches are refused with 403, as by a server that just started': {
    begin: proxy => proxy.next('watch', {do: 'answer', status: 403}, both).dropWatches(),
    atMost: 4,
  },
  'lists are refused with 503': {
    begin: proxy => relist(proxy.next('list', {do: 'answer', status: 503}, 3 * both)),
    atMost: 12,
  },
  'lists are refused with 429 and a time to wait': {
    begin: proxy => relist(proxy.next('list', {do: 'answer', status: 429, retryAfter: 1}, both)),
    atMost: 8,
  },
  'watches are reset in the middle of an event': {
    begin: proxy => proxy.next('watch', {do: 'reset', afterBytes: 100}, 3 * both).dropWatches(),
    atMost: 10,
  },
  'watches end in order, and new ones at once': {
    begin: proxy => proxy.next('watch', {do: 'cut', afterBytes: 0}, 3 * both).endWatches(),
    atMost: 10,
  },
  'watches are cut in the middle of an event': {
    begin: proxy => proxy.next('watch', {do: 'cut', afterBytes: 100}, 3 * both).endWatches(),
    atMost: 10,
  },
  'watches say what is no JSON': {begin: proxy => proxy.sayToWatches('{"type":"MODIFIED","object":{"meta'), atMost: 2},
  'established watches fall silent without a word': {begin: proxy => proxy.freezeWatches(), atMost: 4},
  'new watches get no answer': {
    begin: proxy => proxy.next('watch', {do: 'silence'}, both).dropWatches(),
    atMost: 4,
  },
  'events trickle in': {
    begin: proxy => proxy.next('watch', {do: 'trickle', bytes: 200, everyMs: 20}, both).dropWatches(),
    atMost: 2,
  },
  'watches are told 410 by an event': {begin: relist, atMost: 4},
  'watches are told 410 by their status': {
    begin: proxy => proxy.next('watch', {do: 'answer', status: 410, body: expired}, both).dropWatches(),
    atMost: 6,
  },
  'watches are told 410 again and again': {
    begin: proxy => proxy.next('watch', {do: 'answer', status: 410, body: expired}, 4 * both).dropWatches(),
    atMost: 18,
  },
  'lists are cut in the middle': {
    begin: proxy => relist(proxy.next('list', {do: 'cut', afterBytes: 300}, 2 * both)),
    atMost: 8,
  },
  'lists get an answer that is no list': {
    begin: proxy => relist(proxy.next('list', {do: 'answer', status: 200, body: {}}, 2 * both)),
    atMost: 8,
  },
  'lists trickle in': {
    begin: proxy => relist(proxy.next('list', {do: 'trickle', bytes: 500, everyMs: 20}, both)),
    atMost: 4,
  },
  'answers to writes are lost': {
    begin: proxy => void proxy.next('write', {do: 'pass'}).next('write', {do: 'reset', afterBytes: 0}, 2),
    atMost: 0,
    derivedNames: true,
  },
  'writes are refused with 503': {
    begin: proxy => void proxy.next('write', {do: 'answer', status: 503}, 4),
    atMost: 0,
  },
};

interface Outcome {
  readonly copier: Copier;
  readonly proxy: FaultProxy;
  /** Lists and watches asked for during the fault, and how long it took until all was right. */
  readonly asked: number;
  readonly tookMs: number;
  readonly story: string;
}

/** A watch on which nothing happens is asked for anew after that time. */
const quietMs = 5000;

const atOnce = 7;

const stories = new Map<string, Promise<Outcome>>();
/** Its failure is told where it is awaited. */
const quiet = <T>(work: Promise<T>): Promise<T> => {
  work.catch(() => undefined);
  return work;
};

const open = async (
  story: string,
  options: Partial<CopierOptions> = {},
): Promise<{proxy: FaultProxy; copier: Copier}> => {
  const proxy = await FaultProxy.to(world.plane.admin);
  proxies.push(proxy);
  const via = await world.client({via: proxy, watchIdleMs: quietMs, timeoutMs: quietMs});
  return {proxy, copier: new Copier({client: via, story, ...options})};
};

const stored = (story: string, role: string): Promise<readonly ConfigMap[]> =>
  client.list(configMaps, {labelSelector: `story=${story},role=${role}`});

const textsOf = (objects: readonly ConfigMap[]): string[] =>
  objects
    .map(({metadata, data}) => `${metadata.ownerReferences?.[0]?.name ?? metadata.name} ${data?.['text']}`)
    .toSorted();

const same = (one: readonly ConfigMap[], other: readonly ConfigMap[]): boolean =>
  JSON.stringify(textsOf(one)) === JSON.stringify(textsOf(other));

/** As the API server has it: each parent has one child with its text, and the caches hold what is there. */
const isRight = async ({copier}: {copier: Copier}, story: string): Promise<boolean> => {
  const [parents, children] = await Promise.all([stored(story, 'parent'), stored(story, 'child')]);
  return same(parents, children) && same(copier.parents.list(), parents) && same(copier.children.list(), children);
};

/** Objects come, change, go, and go and come again, while the fault lasts. */
const play = async (name: string, fault: Fault): Promise<Outcome> => {
  const story = `s${Object.keys(faults).indexOf(name)}`;
  const stage = await open(story, fault.derivedNames === undefined ? {} : {derivedNames: true});
  const {copier, proxy} = stage;
  for (const one of ['stays', 'changes', 'goes', 'returns']) await client.create(configMaps, copier.parent(one, 'old'));
  await copier.start();
  await until(`${name}: all is right before`, () => isRight(stage, story), 90_000);
  const before = proxy.count('list') + proxy.count('watch');
  const began = performance.now();
  fault.begin(proxy);
  const key = (one: string) => keyIn(`${story}-${one}`);
  await client.mergePatch(configMaps, key('changes'), {data: {text: 'new'}});
  await client.delete(configMaps, key('goes'));
  await client.delete(configMaps, key('returns'));
  await client.create(configMaps, copier.parent('returns', 'again'));
  await client.create(configMaps, copier.parent('comes', 'new'));
  await until(`${name}: all is right after`, () => isRight(stage, story), 90_000);
  const asked = proxy.count('list') + proxy.count('watch') - before;
  const tookMs = performance.now() - began;
  await copier.stop();
  return {copier, proxy, asked, tookMs, story};
};

for (const [name, {atMost}] of Object.entries(faults)) {
  test(`${name}: nothing is lost, nothing done twice, and nobody asks in a storm`, async () => {
    const outcome = await stories.get(name);
    if (outcome === undefined) throw new Error('never played');
    const {copier, asked, tookMs, story} = outcome;
    const told = (one: string): string[] =>
      copier.changes
        .filter(({object}) => object.metadata.name === `${story}-${one}`)
        .map(({type, object}) => `${type} ${type === 'deleted' ? '' : object.data?.['text']}`.trim());
    expect(told('stays')).toEqual(['added old']);
    expect(told('changes')).toEqual(['added old', 'updated new']);
    expect(told('goes')).toEqual(['added old', 'deleted']);
    expect(told('returns')).toEqual(['added old', 'deleted', 'added again']);
    expect(told('comes')).toEqual(['added new']);
    // Each object's last state was looked at.
    for (const object of copier.parents.list())
      expect(copier.lastSeen.get(keyText(keyOf(object)))).toBe(object.data?.['text']);
    expect(copier.lastSeen.get(`default/${story}-goes`)).toBeUndefined();
    expect(asked).toBeLessThanOrEqual(atMost + both * Math.floor(tookMs / quietMs));
    expect(unhandled).toEqual([]);
  });
}

test('a child is made once although the watch brings it late', async () => {
  const {proxy, copier} = await open('late');
  // That of children alone: parents change meanwhile.
  proxy.next('watch', {do: 'delay', ms: 300}, 1, encodeURIComponent('role=child'));
  await copier.start();
  for (const name of ['a', 'b', 'c']) await client.create(configMaps, copier.parent(name, '0'));
  const made = new Set<string>();
  for (let text = 1; text <= 20; text += 1) {
    await client.mergePatch(configMaps, keyIn('late-a'), {data: {text: String(text)}});
    for (const {metadata} of await stored('late', 'child')) made.add(metadata.name ?? '');
    await sleep(30);
  }
  await until('all is right', () => isRight({copier}, 'late'));
  for (const {metadata} of await stored('late', 'child')) made.add(metadata.name ?? '');
  await copier.stop();
  expect(made.size).toBe(3);
});

test('a watch that says nothing of an own write is found dead by that, long before its silence would tell', async () => {
  const proxy = await FaultProxy.to(world.plane.admin);
  proxies.push(proxy);
  const patient = await world.client({via: proxy});
  const copier = await new Copier({client: patient, story: 'deaf', staleMs: 3000}).start();
  await client.create(configMaps, copier.parent('a', '1'));
  await until('it is copied', () => isRight({copier}, 'deaf'));
  proxy.freezeWatches();
  const lists = proxy.count('list');
  const [child] = await stored('deaf', 'child');
  // By another part of the same process.
  await patient.mergePatch(configMaps, keyIn(child?.metadata.name ?? ''), {data: {text: 'vandal'}});
  await until('it is set right', async () => textsOf(await stored('deaf', 'child'))[0] === 'deaf-a 1');
  expect(proxy.count('list') - lists).toBe(1);
  await copier.stop();
});

test('an object that somebody else deletes meanwhile holds nothing up', async () => {
  const {proxy, copier} = await open('gone', {staleMs: 60_000});
  await copier.start();
  proxy.dropWatches();
  proxy.next('watch', {do: 'answer', status: 503}, 2);
  const via = await world.client({via: proxy});
  await via.create(configMaps, copier.parent('a', '1'));
  await client.delete(configMaps, keyIn('gone-a'));
  await client.create(configMaps, copier.parent('a', '2'));
  await until('its successor is copied', () => isRight({copier}, 'gone'));
  await copier.stop();
});

const bug = (): never => {
  throw new TypeError('a bug');
};
/** The type of a listener lets it pass; the linter would not. */
const later: () => void = (): unknown => Promise.reject(new Error('later'));

test('handlers that throw, now and later, lose nothing and end nothing', async () => {
  const story = 'bugs';
  const {copier} = await open(story, {predicate: bug});
  copier.parents.onChange(bug);
  copier.parents.onChange(later);
  await copier.start();
  await client.create(configMaps, copier.parent('a', '1'));
  await until('it is copied', () => isRight({copier}, story));
  await client.mergePatch(configMaps, keyIn(`${story}-a`), {data: {text: '2'}});
  await until('the change is copied', () => isRight({copier}, story));
  await copier.stop();
  expect(unhandled).toEqual([]);
});

test('a version that etcd has compacted costs a new list, also between the pages of one, and an operator lives through it', async () => {
  const {copier} = await open('compacted');
  await copier.start();
  await client.create(configMaps, copier.parent('early', '1'));
  for (let index = 0; index < 6; index += 1) await client.create(configMaps, configMap(`paged-${index}`));
  const {items, continueToken = '', resourceVersion} = await client.page(configMaps, {namespace: 'default', limit: 2});
  expect(items).toHaveLength(2);
  await client.mergePatch(configMaps, keyIn('paged-0'), {data: {x: '1'}});
  await world.plane.etcd.compact();
  await world.plane.apiserver.restart();
  const page = client.page(configMaps, {namespace: 'default', limit: 2, continueToken});
  await expect(page).rejects.toMatchObject({isGone: true});
  const watch = (async () => {
    for await (const _event of await client.watch(configMaps, {resourceVersion: '1'})) return;
  })();
  await expect(watch).rejects.toMatchObject({isGone: true});
  expect(resourceVersion).toMatch(/^\d+$/);
  await client.create(configMaps, copier.parent('late', '1'));
  await client.mergePatch(configMaps, keyIn('compacted-early'), {data: {text: '2'}});
  await until('all is right', () => isRight({copier}, 'compacted'), 60_000);
  await copier.stop();
});

test('events wait for an API server that is away, and each is written once', async () => {
  const proxy = await FaultProxy.to(world.plane.admin);
  proxies.push(proxy);
  const recorder = new EventRecorder({
    client: await world.client({via: proxy, timeoutMs: 2000}),
    component: 'faults',
    log: silent,
  });
  const object = await client.create(configMaps, configMap('noted'));
  proxy.next('write', {do: 'reset', afterBytes: 0}).next('write', {do: 'answer', status: 503});
  for (const message of ['one', 'two', 'three']) recorder.event(object, {type: 'Normal', reason: 'Told', message});
  const messages = async (): Promise<string[]> =>
    (await client.list(core.events, {namespace: 'default', fieldSelector: 'involvedObject.name=noted'}))
      .map(({message = '', count}) => `${message} ${count}`)
      .toSorted();
  await until('all are written', async () => (await messages()).length >= 3);
  await recorder.flush();
  expect(await messages()).toEqual(['one 1', 'three 1', 'two 1']);
  // The second wait of two seconds; more tries would be a storm.
  expect(proxy.count('write')).toBe(5);
});

test('a call whose answer is lost says that nobody knows whether it was done', async () => {
  const proxy = await FaultProxy.to(world.plane.admin);
  proxies.push(proxy);
  const via = await world.client({via: proxy});
  proxy.next('write', {do: 'reset', afterBytes: 0});
  await expect(via.create(configMaps, configMap('unheard'))).rejects.toBeInstanceOf(TransportError);
  expect(await client.get(configMaps, keyIn('unheard'))).toBeDefined();
});
