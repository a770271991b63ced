/** The API as far as a daemon on one node uses it: instances, events, its Node and its Lease. For a machine that has no API server. */
import {once} from 'node:events';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {VirtualMachineInstance} from '@wherry/api';
import type {KubeConfig} from '@wherry/kube';

type Json = Record<string, unknown>;

/** RFC 7386. */
export const merged = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Json = typeof target === 'object' && target !== null && !Array.isArray(target) ? {...target} : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
};

const BOOKMARK_MS = 20_000;

interface Written extends Json {
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly resourceVersion: string; readonly uid: string};
}

export class ApiStandIn implements AsyncDisposable {
  /** Reasons of the events that the daemon told, with their instances' names. */
  readonly told: string[] = [];
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));
  readonly #instances = new Map<string, Written>();
  readonly #watchers = new Set<ServerResponse>();
  /** By path: what nobody watches. */
  readonly #others = new Map<string, Json>();
  #version = 1;

  private constructor(node: string) {
    const metadata = {name: node, uid: node, resourceVersion: '1'};
    this.#others.set(`/api/v1/nodes/${node}`, {apiVersion: 'v1', kind: 'Node', metadata});
  }

  static async start(node: string): Promise<ApiStandIn> {
    const api = new ApiStandIn(node);
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get kubeConfig(): KubeConfig {
    const {port} = this.#server.address() as AddressInfo;
    return {url: `http://127.0.0.1:${port}`, tls: async () => ({}), headers: async () => ({})};
  }

  /** Number of the last write to an instance. */
  get version(): number {
    return this.#version;
  }

  instance(name: string): VirtualMachineInstance {
    const found = this.#instances.get(name);
    if (found === undefined) throw new Error(`there is no instance ${name}`);
    return found as unknown as VirtualMachineInstance;
  }

  put(instance: object): void {
    const {metadata} = instance as Written;
    this.#write(instance as Written, this.#instances.has(metadata.name) ? 'MODIFIED' : 'ADDED');
  }

  patch(name: string, patch: object): void {
    this.put(merged(this.instance(name), patch) as object);
  }

  remove(name: string): void {
    const found = this.#instances.get(name);
    if (found === undefined) return;
    this.#instances.delete(name);
    this.#tell('DELETED', {...found, metadata: {...found.metadata, resourceVersion: String(++this.#version)}});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #write(object: Written, type: 'ADDED' | 'MODIFIED'): Written {
    const written = {...object, metadata: {...object.metadata, resourceVersion: String(++this.#version)}};
    this.#instances.set(object.metadata.name, written);
    this.#tell(type, written);
    return written;
  }

  #tell(type: string, object: Written): void {
    for (const watcher of this.#watchers) watcher.write(`${JSON.stringify({type, object})}\n`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {pathname, searchParams} = new URL(request.url ?? '/', 'http://api');
    const body = await text(request);
    const [kind, name] = /\/(virtualmachineinstances|events)(?:\/([^/]+))?/.exec(pathname)?.slice(1) ?? [];
    if (kind === 'events') return this.#takeEvent(JSON.parse(body) as Json, response);
    if (kind === undefined) return this.#serveOther(request, pathname, body, response);
    if (name !== undefined) return this.#patchStatus(name, JSON.parse(body) as Json, response);
    return searchParams.get('watch') === 'true' ? this.#watch(response) : answer(response, 200, this.#list());
  }

  /** Without versions: there is nobody else who writes. */
  #serveOther({method, headers}: IncomingMessage, path: string, body: string, response: ServerResponse): void {
    const found = this.#others.get(path);
    const sent = body === '' ? undefined : (JSON.parse(body) as Json);
    if (method === 'POST') {
      const {name} = (sent as unknown as Written).metadata;
      return this.#keep(`${path}/${name}`, sent ?? {}, response);
    }
    const isApplied = headers['content-type']?.includes('apply-patch') === true;
    if (found === undefined && !isApplied) return answer(response, 404, notFound(path));
    if (sent === undefined) return answer(response, 200, found ?? {});
    return this.#keep(path, method === 'PATCH' ? (merged(found, sent) as Json) : sent, response);
  }

  #keep(path: string, object: Json, response: ServerResponse): void {
    this.#others.set(path, merged(object, {metadata: {resourceVersion: '1', uid: path}}) as Json);
    answer(response, 200, this.#others.get(path) ?? {});
  }

  #list(): object {
    const metadata = {resourceVersion: String(this.#version)};
    return {kind: 'VirtualMachineInstanceList', metadata, items: [...this.#instances.values()]};
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, {'content-type': 'application/json'});
    response.flushHeaders();
    // Whatever was written between the list and this: the daemon takes what it knows already for nothing new.
    for (const object of this.#instances.values()) response.write(`${JSON.stringify({type: 'MODIFIED', object})}\n`);
    this.#watchers.add(response);
    // A watch that is silent for long is taken for dead.
    const alive = setInterval(() => response.write(`${JSON.stringify(this.#bookmark())}\n`), BOOKMARK_MS);
    response.on('close', () => {
      clearInterval(alive);
      this.#watchers.delete(response);
    });
  }

  #bookmark(): object {
    const metadata = {resourceVersion: String(this.#version)};
    return {type: 'BOOKMARK', object: {apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', metadata}};
  }

  /** Only for the version of the object that was decided on, as the real one does it. */
  #patchStatus(name: string, patch: Json, response: ServerResponse): void {
    const found = this.#instances.get(name);
    const {resourceVersion, uid} = (patch['metadata'] ?? {}) as {resourceVersion?: string; uid?: string};
    if (found === undefined) return answer(response, 404, notFound(name));
    if (resourceVersion !== found.metadata.resourceVersion || uid !== found.metadata.uid)
      return answer(response, 409, {kind: 'Status', code: 409, reason: 'Conflict', message: `${name} has changed`});
    const status = merged(found['status'], patch['status']);
    return answer(response, 200, this.#write({...found, status}, 'MODIFIED'));
  }

  #takeEvent(event: Json, response: ServerResponse): void {
    const {name = ''} = (event['regarding'] ?? event['involvedObject'] ?? {}) as {name?: string};
    this.told.push(`${name} ${String(event['reason'])}`);
    answer(response, 201, event);
  }
}

const notFound = (what: string): object => ({kind: 'Status', code: 404, reason: 'NotFound', message: `no ${what}`});

const answer = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, {'content-type': 'application/json'});
  response.end(JSON.stringify(body));
};
