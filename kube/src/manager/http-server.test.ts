import {afterEach, expect, test} from '@jest/globals';
import {connect} from 'node:net';
import {Counter, Registry} from 'prom-client';
import {type Check, checks, HttpServer, metrics} from './http-server.ts';

let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close();
});

const serve = async (all: Record<string, Check>): Promise<string> => {
  const registry = new Registry();
  new Counter({name: 'boats_total', help: 'Boats.', registers: [registry]}).inc(3);
  server = new HttpServer({'/readyz': checks(new Map(Object.entries(all))), '/metrics': metrics(registry)});
  return `http://127.0.0.1:${await server.listen(0)}`;
};

const get = async (url: string, init: RequestInit = {}): Promise<[number, string]> => {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
};

/** Sends what fetch would refuse to send. */
const raw = (url: string, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(request));
    socket.on('data', data => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.on('error', reject);
  });

test('it is ready when every check is well', async () => {
  expect(await get(`${await serve({a: () => undefined})}/readyz`)).toEqual([200, 'ok\n']);
});

test('it says which check is not well, and why', async () => {
  const url = await serve({a: () => undefined, 'cache pods': () => 'not filled yet'});
  expect(await get(`${url}/readyz`)).toEqual([503, 'cache pods: not filled yet\n']);
});

test('a check that throws counts as not well, and harms nothing', async () => {
  const url = await serve({
    broken: () => {
      throw new Error('a bug');
    },
  });
  expect(await get(`${url}/readyz`)).toEqual([503, 'broken: a bug\n']);
});

test('metrics are in the text format of Prometheus', async () => {
  const [status, text] = await get(`${await serve({})}/metrics`);
  expect(status).toBe(200);
  expect(text).toContain('boats_total 3');
});

test('queries are ignored, and other paths and methods are not served', async () => {
  const url = await serve({});
  expect((await get(`${url}/readyz?verbose`))[0]).toBe(200);
  expect((await get(`${url}/secret`))[0]).toBe(404);
  expect((await get(`${url}/toString`))[0]).toBe(404);
  expect((await get(`${url}/readyz`, {method: 'POST'}))[0]).toBe(404);
});

test.each(['//', '/\\', '*', 'http://[', '/%zz'])('a request for %s does not end the process', async path => {
  const url = await serve({});
  expect(await raw(url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect((await get(`${url}/readyz`))[0]).toBe(200);
});

test('a port that is taken is an error that the caller gets', async () => {
  const url = await serve({});
  await expect(new HttpServer({}).listen(Number(new URL(url).port))).rejects.toThrow('EADDRINUSE');
});

test('it closes though a client keeps its connection open', async () => {
  const url = await serve({});
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise(resolve => socket.once('connect', resolve));
  await server?.close();
  socket.destroy();
});
