import {Client, type ClientOptions, type ConfigMap, core, fromKubeconfig, type Key, type Log} from '@wherry/kube';
import {Registry} from 'prom-client';
import {setTimeout as sleep} from 'node:timers/promises';
import {type ControlPlane, startControlPlane} from '../../support/control-plane.ts';
import {Relay} from './relay.ts';

/** Says nothing: what matters is what the API server has in the end. */
export const silent: Log = {debug: () => {}, info: () => {}, warn: () => {}, error: () => {}};

/** A control plane, and clients of it that are closed with it. */
export class World {
  readonly #clients: Client[] = [];
  readonly #relays: Relay[] = [];
  readonly plane: ControlPlane;

  private constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  static async open(): Promise<World> {
    return new World(await startControlPlane());
  }

  async client(
    options: Partial<ClientOptions> & {readonly via?: {readonly url: string}; readonly token?: string} = {},
  ): Promise<Client> {
    const {via, token, ...rest} = options;
    const found = await fromKubeconfig(this.plane.kubeconfig);
    const kubeConfig = {
      ...found,
      url: via?.url ?? found.url,
      headers: async () => (token === undefined ? found.headers() : {authorization: `Bearer ${token}`}),
    };
    const client = new Client({kubeConfig, userAgent: 'kube-test', registry: new Registry(), ...rest});
    this.#clients.push(client);
    return client;
  }

  async relay(): Promise<Relay> {
    const relay = await Relay.to(this.plane.url);
    this.#relays.push(relay);
    return relay;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map(client => client.close()));
    await Promise.all(this.#relays.map(relay => relay.close()));
    await this.plane.stop();
  }
}

/** Tries until it is true. @throws Error naming `what` when it was not within 20 s. */
export const until = async (
  what: string,
  check: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
};

export const configMap = (name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {namespace, name, labels: {test: 'kube'}},
  data,
});

export const keyIn = (name: string, namespace = 'default'): Key => ({namespace, name});

export const ours = {labelSelector: 'test=kube'};

export const {configMaps} = core;
