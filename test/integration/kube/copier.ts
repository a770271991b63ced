import {
  Cache,
  type Change,
  type Client,
  type ConfigMap,
  Controller,
  type ControllerOptions,
  type Key,
  keyOf,
  keyText,
  owned,
  type Predicate,
  watching,
} from '@wherry/kube';
import {Registry} from 'prom-client';
import {configMap, configMaps, silent} from './world.ts';

export interface CopierOptions {
  /** What it reads and writes through. */
  readonly client: Client;
  /** Keeps copiers that share an API server apart; a label value. */
  readonly story: string;
  readonly controller?: Partial<ControllerOptions>;
  readonly staleMs?: number;
  /** Of the parents. */
  readonly predicate?: Predicate<ConfigMap>;
  /** Children are named after their parents' uids, not by the API server. */
  readonly derivedNames?: boolean;
}

/**
 * A whole little operator: each parent gets one child with the same text. Children have generated names, so that nothing
 * but the operator's own care keeps it from making two.
 */
export class Copier {
  readonly parents: Cache<ConfigMap>;
  readonly children: Cache<ConfigMap>;
  readonly registry = new Registry();
  /** In the order in which they were told. */
  readonly changes: Change<ConfigMap>[] = [];
  /** The text that the last reconcile of a parent saw; undefined when it found none. */
  readonly lastSeen = new Map<string, string | undefined>();
  readonly #options: CopierOptions;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: CopierOptions) {
    this.#options = options;
    const {client, staleMs} = options;
    const context = {client, resource: configMaps, log: silent, registry: this.registry};
    const stale = staleMs === undefined ? {} : {staleMs};
    this.parents = new Cache({...context, ...stale, selection: {labelSelector: this.#labelled('parent')}});
    this.children = new Cache({...context, ...stale, selection: {labelSelector: this.#labelled('child')}});
    this.parents.onChange(change => this.changes.push(change));
  }

  #labelled(role: string): string {
    return `story=${this.#options.story},role=${role}`;
  }

  parent(name: string, text: string): ConfigMap {
    const {story} = this.#options;
    const metadata = {namespace: 'default', name: `${story}-${name}`, labels: {story, role: 'parent'}};
    return {...configMap(metadata.name, {text}), metadata};
  }

  async start(): Promise<this> {
    const {signal} = this.#stop;
    const controller = new Controller({
      name: 'copier',
      reconcile: (key, during) => this.#reconcile(key, during),
      sources: [watching(this.parents, this.#options.predicate), owned(this.children, 'ConfigMap')],
      log: silent,
      registry: this.registry,
      ...this.#options.controller,
    });
    const caches = [this.parents, this.children];
    const running = caches.map(cache => cache.run(signal));
    await Promise.all(caches.map(cache => cache.waitForSync(signal, 30_000)));
    this.#running = Promise.all([...running, controller.run(signal)]);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #reconcile(key: Key, signal: AbortSignal): Promise<void> {
    const {client} = this.#options;
    const parent = this.parents.get(key);
    const text = parent?.data?.['text'];
    this.lastSeen.set(keyText(key), text);
    const children = this.children.list().filter(child => child.metadata.ownerReferences?.[0]?.name === key.name);
    for (const child of children) {
      const orphan = child.metadata.ownerReferences?.[0]?.uid !== parent?.metadata.uid;
      const {uid = ''} = child.metadata;
      if (orphan) await client.delete(configMaps, keyOf(child), {uid, signal});
      else if (child.data?.['text'] !== text)
        await client.mergePatch(configMaps, keyOf(child), {metadata: {uid}, data: {text}}, {signal});
    }
    const kept = children.some(child => child.metadata.ownerReferences?.[0]?.uid === parent?.metadata.uid);
    if (parent !== undefined && !kept) await client.create(configMaps, this.#childOf(parent), {signal});
  }

  #childOf(parent: ConfigMap): ConfigMap {
    const {story, derivedNames = false} = this.#options;
    const {name = '', uid = ''} = parent.metadata;
    const owner = {apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true};
    const metadata = {
      namespace: 'default',
      ...(derivedNames ? {name: `${name}-copy-${uid.slice(0, 8)}`} : {generateName: `${name}-copy-`}),
      labels: {story, role: 'child'},
      ownerReferences: [owner],
    };
    return {...configMap(''), metadata, ...(parent.data === undefined ? {} : {data: parent.data})};
  }
}
