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
  return call(admin, 'GET', path);
}

/** Creates or replaces the object at `path` by server-side apply, as field manager `test`. */
export function apply(admin: AdminAccess, path: string, object: unknown): Promise<Answer> {
  return call(admin, 'PATCH', `${path}?fieldManager=test&force=true`, object);
}

/** One request on a connection of its own, so that no pool hides what a test does to the server. */
async function call(admin: AdminAccess, method: string, path: string, body?: unknown): Promise<Answer> {
  const agent = new Agent({ca: admin.ca, keepAlive: false});
  try {
    return await new Promise((resolve, reject) => {
      const headers = {authorization: `Bearer ${admin.token}`, 'content-type': 'application/apply-patch+yaml'};
      const sent = request(admin.url + path, {method, agent, headers, timeout: 10_000}, response => {
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
