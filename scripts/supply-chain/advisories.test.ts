import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, describe, expect, test} from '@jest/globals';
import {crateAdvisories, readAudit} from './advisories.ts';

const advisory = (severity: string): object => ({name: 'left-pad', severity, range: '<1.3.0'});

describe('npm audit', () => {
  test('finds what is severe', () => {
    const vulnerabilities = {a: advisory('critical'), b: advisory('high'), c: advisory('moderate')};
    expect(readAudit(JSON.stringify({vulnerabilities}))).toEqual({
      at: 'asked',
      found: ['left-pad <1.3.0: critical, by npm audit', 'left-pad <1.3.0: high, by npm audit'],
    });
  });

  test('finds nothing where there is nothing', () => {
    expect(readAudit('{"vulnerabilities": {}}')).toEqual({at: 'asked', found: []});
  });

  test.each(['{"message": "405 Method Not Allowed", "method": "POST"}', '', 'npm error network'])(
    'is not done where the registry does not answer: %s',
    text => {
      expect(readAudit(text)).toEqual({at: 'unreachable', needs: 'needs an npm registry that answers npm audit'});
    },
  );
});

describe('advisories of crates', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  const crates = ['time', 'libc'].map(name => ({name, version: '0.1.0', licence: 'MIT'}));

  /** A server that answers once; the address to ask it by, and what it was asked. */
  const serve = async (status: number, body: unknown): Promise<{url: string; asked: unknown[]}> => {
    const asked: unknown[] = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(status).end(JSON.stringify(body));
      });
    });
    await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
    return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked};
  };

  test('are asked for in one question, and told by crate', async () => {
    const {url, asked} = await serve(200, {results: [{vulns: [{id: 'RUSTSEC-2020-0071'}]}, {}]});
    expect(await crateAdvisories(crates, url)).toEqual({
      at: 'asked',
      found: ['time 0.1.0: RUSTSEC-2020-0071, by OSV'],
    });
    expect(asked).toEqual([
      {
        queries: ['time', 'libc'].map(name => ({package: {name, ecosystem: 'crates.io'}, version: '0.1.0'})),
      },
    ]);
  });

  test('that answer less than was asked are no answer', async () => {
    const {url} = await serve(200, {results: [{}]});
    await expect(crateAdvisories(crates, url)).rejects.toThrow('answered 1 of 2');
  });

  test('are not asked for where nobody answers', async () => {
    const {url} = await serve(403, {});
    const unreachable = {at: 'unreachable', needs: expect.stringMatching(/^needs 127\.0\.0\.1:\d+, for RustSec/)};
    expect(await crateAdvisories(crates, url)).toEqual(unreachable);
    server?.close();
    server?.closeAllConnections();
    expect(await crateAdvisories(crates, url)).toEqual(unreachable);
  });
});
