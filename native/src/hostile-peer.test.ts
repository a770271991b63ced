/** Descriptors that a peer sends and nobody has asked for. */

import {closeSync, openSync} from 'node:fs';
import {Socket} from 'node:net';
import {expect} from '@jest/globals';
import {loadHost} from './index.ts';
import {frameOf, openDescriptors, sendWithDescriptors, TestFolder, testNative, TestServer} from './testing.ts';

/** Most that one message may carry. */
const MANY = 253;

/** The kernel's number of a socket's descriptor. */
const numberOf = (socket: Socket): number => (socket as unknown as {_handle: {fd: number}})._handle.fd;

/** Descriptors of a file that nothing else here opens, and how many of them are open. */
class Gifts implements Disposable {
  readonly #folder = new TestFolder();
  readonly fds = Array.from({length: MANY}, () => openSync(this.#folder.join('gift'), 'w'));

  get open(): number {
    return openDescriptors().filter(target => target === this.#folder.join('gift')).length;
  }

  [Symbol.dispose](): void {
    for (const fd of this.fds) closeSync(fd);
    this.#folder[Symbol.dispose]();
  }
}

testNative('descriptors on the connection that the daemon keeps are not received', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  using gifts = new Gifts();
  const text = Buffer.from('x'.repeat(100));
  await using _server = await TestServer.listen(folder.join('s'), socket => {
    for (let round = 0; round < 10; round++) sendWithDescriptors(numberOf(socket), text, gifts.fds);
    socket.end();
  });
  using dir = host.openDir(folder.path);
  const socket = new Socket({fd: host.connectUnix(dir, 's').fd, readable: true, writable: true});
  let received = 0;
  for await (const chunk of socket) {
    received += (chunk as Buffer).length;
    expect(gifts.open).toBe(MANY);
  }
  expect(received).toBe(10 * text.length);
  expect(gifts.open).toBe(MANY);
});

testNative('descriptors that come with an answer are not received', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  using gifts = new Gifts();
  await using _server = await TestServer.listen(folder.join('s'), socket => {
    socket.on('error', () => undefined);
    const answer = frameOf('{"id":1,"ok":{}}');
    sendWithDescriptors(numberOf(socket), answer.subarray(0, 2), gifts.fds);
    sendWithDescriptors(numberOf(socket), answer.subarray(2), gifts.fds);
  });
  using dir = host.openDir(folder.path);
  const answer = await host.handOver(dir, 's', frameOf('{}'), []);
  expect(Buffer.from(answer).toString('utf8', 4)).toBe('{"id":1,"ok":{}}');
  expect(gifts.open).toBe(MANY);
});
