import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {decodeFrame, encodeFrame, FrameDecoder} from './frames.ts';

const prefix = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
};
const framed = (body: string | Uint8Array): Buffer =>
  Buffer.concat([prefix(Buffer.from(body).length), Buffer.from(body)]);

test('what is encoded is decoded, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.json()), {maxLength: 5}),
      fc.array(fc.nat(40)),
      (messages, cuts) => {
        const stream = Buffer.concat(messages.map(message => Buffer.from(encodeFrame(message))));
        const decoder = new FrameDecoder();
        const found: object[] = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          found.push(...decoder.push(stream.subarray(at, at + cut)));
          at += cut;
        }
        expect(found.map(one => JSON.stringify(one))).toEqual(messages.map(one => JSON.stringify(one)));
      },
    ),
  );
});

test('any bytes at all give objects or a protocol error, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 200}), bytes => {
      try {
        for (const one of new FrameDecoder().push(Buffer.from(bytes))) expect(typeof one).toBe('object');
      } catch (error) {
        expect(error).toMatchObject({code: 'PROTOCOL'});
      }
    }),
  );
});

test('an announced length above the limit ends the stream before anything of it has come', () => {
  expect(() => new FrameDecoder().push(prefix(1024 * 1024 + 1))).toThrow(/announced a frame of 1048577 bytes/);
  expect(new FrameDecoder().push(prefix(1024 * 1024))).toEqual([]);
});

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['null', 'null'],
  ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
])('a frame with %s is refused', (_what, body) => {
  expect(() => new FrameDecoder().push(framed(body))).toThrow(expect.objectContaining({code: 'PROTOCOL'}));
});

test('a request above the limit is not sent', () => {
  expect(() => encodeFrame({big: 'x'.repeat(1024 * 1024)})).toThrow(/above the limit/);
});

test('one answer is one whole frame', () => {
  expect(decodeFrame(framed('{"id":1}'))).toEqual({id: 1});
  expect(() => decodeFrame(framed('{"id":1}').subarray(0, 6))).toThrow(/less or more than one frame/);
  expect(() => decodeFrame(Buffer.concat([framed('{}'), framed('{}')]))).toThrow(/less or more than one frame/);
});

test('a frame that comes byte by byte is held in a few buffers', () => {
  const stream = framed(JSON.stringify({text: 'x'.repeat(100_000)}));
  const decoder = new FrameDecoder();
  let most = 0;
  for (let at = 0; at < stream.length - 1; at++) {
    decoder.push(stream.subarray(at, at + 1));
    most = Math.max(most, decoder.chunks);
  }
  expect(most).toBeLessThanOrEqual(64);
  expect(decoder.push(stream.subarray(-1))).toEqual([{text: 'x'.repeat(100_000)}]);
  expect(decoder.chunks).toBe(0);
});
