import {once} from 'node:events';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

const object = (index: number, version: number) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {namespace: 'default', name: `object-${index}`, uid: `uid-${index}`, resourceVersion: String(version)},
  data: {text: 'x'.repeat(1000)},
});

const expired = {kind: 'Status', code: 410, reason: 'Expired', message: 'too old'};

/** Answers lists and writes as it should, and breaks every watch, each time in another way. */
export class BadServer {
  watches = 0;
  readonly #server: Server;
  #version = 100;

  constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const {method, url = ''} = request;
    const query = new URL(url, 'http://server').searchParams;
    if (method !== 'GET') return reply(response, 200, object(0, this.#version));
    if (!query.has('watch')) return this.#list(query.get('continue'), response);
    this.watches += 1;
    this.#breakWatch(this.watches % 8, response);
  }

  #list(token: string | null, response: ServerResponse): void {
    const [items, next] = token === null ? [[0, 1], 'more'] : [[2, 3], undefined];
    const metadata = {resourceVersion: String(this.#version), ...(next === undefined ? {} : {continue: next})};
    reply(response, 200, {kind: 'ConfigMapList', metadata, items: items.map(index => object(index, this.#version))});
  }

  #breakWatch(way: number, response: ServerResponse): void {
    if (way === 0) return reply(response, 503, {kind: 'Status', code: 503});
    if (way === 1) return reply(response, 410, expired);
    response.writeHead(200, {'content-type': 'application/json'});
    this.#version += 1;
    const event = `${JSON.stringify({type: 'MODIFIED', object: object(way % 4, this.#version)})}\n`;
    if (way === 2) return void response.end();
    if (way === 3) return void response.end(event.slice(0, 300));
    if (way === 4) return void response.end('{"type":"MODIFIED","obj\n');
    if (way === 5) return void response.end(`${event}${JSON.stringify({type: 'ERROR', object: expired})}\n`);
    response.write(event);
    if (way === 6) response.end();
    else setImmediate(() => response.socket?.resetAndDestroy());
  }
}

const reply = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, {'content-type': 'application/json'});
  response.end(JSON.stringify(body));
};
