import {createServer, type Server, type ServerResponse} from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import type {Registry} from 'prom-client';

/** Resolves to nothing when all is well, or to what is wrong. Must answer quickly. */
export type Check = () => string | undefined;

export interface Endpoints {
  readonly [path: string]: (response: ServerResponse) => Promise<void> | void;
}

/** `ok`, or 503 with one line for each check that says what is wrong. */
export const checks =
  (all: ReadonlyMap<string, Check>) =>
  (response: ServerResponse): void => {
    const wrong = [...all].flatMap(([name, check]) => {
      const problem = check();
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
    response.writeHead(wrong.length === 0 ? 200 : 503, {'content-type': 'text/plain'});
    response.end(`${wrong.length === 0 ? 'ok' : wrong.join('\n')}\n`);
  };

export const metrics =
  (registry: Registry) =>
  async (response: ServerResponse): Promise<void> => {
    const text = await registry.metrics();
    response.writeHead(200, {'content-type': registry.contentType});
    response.end(text);
  };

/** A small HTTP server of GET endpoints. */
export class HttpServer {
  readonly #server: Server;

  constructor(endpoints: Endpoints) {
    this.#server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const endpoint = request.method === 'GET' || request.method === 'HEAD' ? endpoints[path] : undefined;
      if (endpoint === undefined) {
        response.writeHead(404).end();
        return;
      }
      Promise.resolve(endpoint(response)).catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
  }

  /** Port 0 takes a free one; the answer is the port taken. */
  async listen(port: number): Promise<number> {
    this.#server.listen(port);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
