import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Server, type Socket} from 'node:net';

/** A stretch of network between a client and the API server that can break as networks do. */
export class Relay {
  /** Connections that were opened through it so far. */
  connections = 0;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #target: URL;
  #state: 'open' | 'cut' | 'frozen' = 'open';

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer(client => this.#accept(client));
  }

  static async to(url: string): Promise<Relay> {
    const relay = new Relay(new URL(url));
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every connection is reset, and so are new ones. */
  cut(): void {
    this.#state = 'cut';
    this.#drop();
  }

  /** Nothing passes any more and nobody is told: what a client sees of a host that lost its power. */
  freeze(): void {
    this.#state = 'frozen';
    for (const [client, server] of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      client.pause();
      server.pause();
    }
  }

  /** New connections pass again. Those of before stay as they are. */
  mend(): void {
    this.#state = 'open';
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#drop();
    await closed;
  }

  #drop(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  #accept(client: Socket): void {
    this.connections += 1;
    if (this.#state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        for (const one of pair) one.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (this.#state === 'frozen') return;
    client.pipe(server);
    server.pipe(client);
  }
}
