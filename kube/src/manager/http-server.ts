import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import type {Registry} from 'prom-client';

/** Resolves to nothing when all is well, or to what is wrong. Must answer quickly. */
export type Check = () => string | undefined;

export type Endpoint = (response: ServerResponse) => Promise<void> | void;

/** By path. */
export interface Endpoints {
  readonly [path: string]: Endpoint;
}

/** `ok`, or 503 with one line for each check that says what is wrong. */
export const checks =
  (all: ReadonlyMap<string, Check>) =>
  (response: ServerResponse): void => {
    const wrong = [...all].flatMap(([name, check]) => {
      const problem = problemOf(check);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
    response.writeHead(wrong.length === 0 ? 200 : 503, {'content-type': 'text/plain'});
    response.end(`${wrong.length === 0 ? 'ok' : wrong.join('\n')}\n`);
  };

const problemOf = (check: Check): string | undefined => {
  try {
    return check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
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
    const served = new Map(Object.entries(endpoints));
    this.#server = createServer((request, response) => {
      void answer(served, request, response);
    });
  }

  /** Port 0 takes a free one; the answer is the port taken. */
  async listen(port: number): Promise<number> {
    const listening = once(this.#server, 'listening');
    this.#server.listen(port);
    await listening;
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

/** Never rejects: whatever a client sends, the process goes on. */
const answer = async (
  endpoints: ReadonlyMap<string, Endpoint>,
  {url, method}: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  // Only these exact paths are served, so that nothing needs to be parsed.
  const endpoint = endpoints.get(url?.split('?', 1)[0] ?? '');
  try {
    if (endpoint === undefined || (method !== 'GET' && method !== 'HEAD')) response.writeHead(404).end();
    else await endpoint(response);
  } catch {
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
};
