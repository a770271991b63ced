import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import type {KubeConfig} from '../client/kube-config.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request. */
export type Answer = (response: ServerResponse) => void;

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  response => {
    response.writeHead(status, {'content-type': 'application/json', ...headers});
    response.end(JSON.stringify(body));
  };

/** An API server that misbehaves as the test says. Its last answer is given to all further requests. */
export class HttpApi {
  readonly seen: Seen[] = [];
  connections = 0;
  token = 'one';
  readonly #answers: Answer[] = [];
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const {method = '', url = '', headers} = request;
        this.seen.push({method, url, headers, body: Buffer.concat(chunks).toString()});
        const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
        answer?.(response);
      });
    });
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  answer(...answers: readonly Answer[]): this {
    this.#answers.push(...answers);
    return this;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  get kubeConfig(): KubeConfig {
    return {
      url: `http://127.0.0.1:${this.#port}`,
      tls: async () => ({}),
      headers: async () => ({authorization: `Bearer ${this.token}`}),
    };
  }
}
