import {once} from 'node:events';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {Agent, request as httpsRequest} from 'node:https';
import type {AddressInfo} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import type {AdminAccess} from './control-plane/admin.ts';

export type RequestKind = 'list' | 'watch' | 'get' | 'write';

/** What becomes of a request. Where bytes are counted, the API server has done what it was asked. */
export type Fault =
  /** As if there were no fault: for those that come before one. */
  | {readonly do: 'pass'}
  /** Answered by the proxy; it never reaches the API server. */
  | {readonly do: 'answer'; readonly status: number; readonly body?: unknown; readonly retryAfter?: number}
  /** The body ends in order after so many bytes: whatever was in the middle is cut. */
  | {readonly do: 'cut'; readonly afterBytes: number}
  /** The connection is reset after so many bytes of the body. */
  | {readonly do: 'reset'; readonly afterBytes: number}
  /** Nothing comes, and the connection stays. */
  | {readonly do: 'silence'}
  /** So many bytes at a time, with a pause after each. */
  | {readonly do: 'trickle'; readonly bytes: number; readonly everyMs: number}
  /** Each piece of the body comes later than it should. */
  | {readonly do: 'delay'; readonly ms: number}
  /** Passed on when `until` resolves. */
  | {readonly do: 'hold'; readonly until: Promise<void>};

export interface SeenRequest {
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  /** ms, of performance.now(). */
  readonly at: number;
}

interface Rule {
  readonly kind: RequestKind;
  readonly fault: Fault;
  readonly part: string;
  left: number;
}

interface OpenWatch {
  readonly response: ServerResponse;
  frozen: boolean;
}

/**
 * A bad intermediary between a client and the API server: it understands HTTP, and does to single requests what networks,
 * load balancers and overloaded servers do. Clients reach it without TLS. Rules for a kind of request apply one after the
 * other, each so many times.
 */
export class FaultProxy {
  readonly seen: SeenRequest[] = [];
  readonly #admin: AdminAccess;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #watches = new Set<OpenWatch>();
  #rules: Rule[] = [];

  private constructor(admin: AdminAccess) {
    this.#admin = admin;
    this.#agent = new Agent({ca: admin.ca, keepAlive: true});
    this.#server = createServer((request, response) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.requestTimeout = 0;
  }

  static async to(admin: AdminAccess): Promise<FaultProxy> {
    const proxy = new FaultProxy(admin);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next `times` requests of the kind, after those that earlier rules are for; only those with `part` in their path. */
  next(kind: RequestKind, fault: Fault, times = 1, part = ''): this {
    this.#rules.push({kind, fault, part, left: times});
    return this;
  }

  /** New requests pass as they should. Frozen watches stay frozen. */
  mend(): void {
    this.#rules = [];
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  count(kind: RequestKind): number {
    return this.seen.filter(seen => seen.kind === kind).length;
  }

  /** The watches that are open now say nothing any more, and nobody is told: no FIN, no RST. */
  freezeWatches(): void {
    for (const watch of this.#watches) watch.frozen = true;
  }

  /** They are reset. */
  dropWatches(): void {
    for (const {response} of this.#watches) response.socket?.resetAndDestroy();
  }

  /** They end in order, as a server that shuts down ends them. */
  endWatches(): void {
    for (const {response} of this.#watches) response.end();
  }

  /** They are told this line. */
  sayToWatches(line: string): void {
    for (const {response} of this.#watches) response.write(`${line}\n`);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {method = '', url = ''} = request;
    const kind = kindOf(method, url);
    this.seen.push({kind, method, path: url, at: performance.now()});
    response.on('error', () => undefined);
    const fault = this.#faultFor(kind, url);
    switch (fault.do) {
      case 'answer':
        answer(response, fault);
        return;
      case 'silence':
        return;
      case 'hold':
        await fault.until;
        break;
      case 'pass':
      case 'cut':
      case 'reset':
      case 'trickle':
      case 'delay':
        break;
    }
    await this.#forward(request, response, {kind, fault});
  }

  #faultFor(kind: RequestKind, path: string): Fault {
    const rule = this.#rules.find(one => one.kind === kind && one.left > 0 && path.includes(one.part));
    if (rule === undefined) return {do: 'pass'};
    rule.left -= 1;
    return rule.fault;
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    {kind, fault}: {kind: RequestKind; fault: Fault},
  ): Promise<void> {
    const {host: _ours, connection: _hop, ...headers} = request.headers;
    const upstream = httpsRequest(this.#admin.url + (request.url ?? ''), {
      agent: this.#agent,
      method: request.method ?? 'GET',
      headers,
    });
    response.on('close', () => upstream.destroy());
    upstream.on('error', () => response.socket?.resetAndDestroy());
    request.pipe(upstream);
    const [from] = (await once(upstream, 'response')) as [IncomingMessage];
    from.on('error', () => undefined);
    const {'content-length': _length, 'transfer-encoding': _encoding, connection: _end, ...answered} = from.headers;
    response.writeHead(from.statusCode ?? 502, answered);
    response.flushHeaders();
    const watch: OpenWatch = {response, frozen: false};
    if (kind === 'watch') this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    await relay(from, watch, fault);
  }
}

const kindOf = (method: string, url: string): RequestKind => {
  if (method !== 'GET') return 'write';
  const {pathname, searchParams} = new URL(url, 'http://proxy');
  if (searchParams.get('watch') === 'true') return 'watch';
  // A collection: /api/v1/configmaps, /apis/apps/v1/namespaces/default/deployments, ….
  return /^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[^/]+$/.test(pathname) && searchParams.has('limit')
    ? 'list'
    : 'get';
};

const answer = (response: ServerResponse, {status, body, retryAfter}: Extract<Fault, {do: 'answer'}>): void => {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfter === undefined ? {} : {'retry-after': String(retryAfter)}),
  });
  response.end(JSON.stringify(body ?? {kind: 'Status', status: 'Failure', code: status, message: 'a fault'}));
};

const relay = async (from: IncomingMessage, watch: OpenWatch, fault: Fault): Promise<void> => {
  const {response} = watch;
  let sent = 0;
  for await (const chunk of from as AsyncIterable<Buffer>) {
    if (watch.frozen) continue;
    if (fault.do === 'delay') await sleep(fault.ms);
    const size = fault.do === 'trickle' ? fault.bytes : chunk.length;
    for (let at = 0; at < chunk.length; at += size) {
      const left = fault.do === 'cut' || fault.do === 'reset' ? fault.afterBytes - sent : Number.POSITIVE_INFINITY;
      const piece = chunk.subarray(at, at + Math.min(size, Math.max(left, 0)));
      response.write(piece);
      sent += piece.length;
      if (piece.length === left || left <= 0) {
        if (fault.do === 'cut') response.end();
        // What was written must go out before the reset.
        else setImmediate(() => response.socket?.resetAndDestroy());
        return;
      }
      if (fault.do === 'trickle') await sleep(fault.everyMs);
    }
  }
  response.end();
};
