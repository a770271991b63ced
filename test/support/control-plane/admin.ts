import {Agent, request} from 'node:https';

/** How to speak to an API server as its admin. */
export interface AdminAccess {
  url: string;
  /** A bearer token of the group system:masters. */
  token: string;
  /** The PEM certificate that the server's own is checked against. */
  ca: string;
}

export interface Answer {
  status: number;
  /** The body: an object where it is JSON, else text. */
  body: unknown;
}

export function get(admin: AdminAccess, path: string): Promise<Answer> {
  return call(admin, {method: 'GET', path});
}

/** Creates or replaces the object at `path` by server-side apply, as field manager `test`. */
export function apply(admin: AdminAccess, path: string, object: unknown): Promise<Answer> {
  const type = 'application/apply-patch+yaml';
  return call(admin, {method: 'PATCH', path: `${path}?fieldManager=test&force=true`, type, body: object});
}

/** Creates the object in the collection at `path`, which may carry a query, as `?fieldValidation=Ignore`. */
export function post(admin: AdminAccess, path: string, object: unknown, as?: Impersonated): Promise<Answer> {
  return call(admin, {method: 'POST', path, type: 'application/json', body: object, headers: headersOf(as)});
}

/** Changes the object at `path` by the operations of RFC 6902. */
export function jsonPatch(admin: AdminAccess, path: string, operations: readonly object[]): Promise<Answer> {
  return call(admin, {method: 'PATCH', path, type: 'application/json-patch+json', body: operations});
}

/** Who a request is made for, where that is not the admin. */
export interface Impersonated {
  user: string;
  /** What else its token would say of it, the node of its pod for example. */
  extra?: Readonly<Record<string, string>>;
}

export function mergePatch(admin: AdminAccess, path: string, patch: unknown, as: Impersonated): Promise<Answer> {
  const type = 'application/merge-patch+json';
  return call(admin, {method: 'PATCH', path, type, body: patch, headers: headersOf(as)});
}

const headersOf = (as: Impersonated | undefined): Record<string, string> => {
  const extra = Object.entries(as?.extra ?? {});
  return {
    ...(as === undefined ? {} : {'impersonate-user': as.user}),
    ...Object.fromEntries(extra.map(([name, value]) => [`impersonate-extra-${encodeURIComponent(name)}`, value])),
  };
};

export interface Call {
  method: string;
  path: string;
  /** Media type of the body. */
  type?: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** One request on a connection of its own, so that no pool hides what a test does to the server. */
export async function call(admin: AdminAccess, {method, path, type, body, headers}: Call): Promise<Answer> {
  const agent = new Agent({ca: admin.ca, keepAlive: false});
  try {
    return await new Promise((resolve, reject) => {
      const all = {...headers, authorization: `Bearer ${admin.token}`, ...(type && {'content-type': type})};
      const sent = request(admin.url + path, {method, agent, headers: all, timeout: 10_000}, response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks))}));
      });
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer within 10 s`)));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  } finally {
    agent.destroy();
  }
}

function parsed(body: Buffer): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
