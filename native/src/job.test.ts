import {expect, test} from '@jest/globals';
import {decodeAnswer} from './job.ts';

const answer = (code: number, errno: number, message: string, body: string): Buffer => {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(code, 0);
  header.writeInt32LE(errno, 4);
  header.writeUInt32LE(Buffer.byteLength(message), 8);
  header.writeUInt32LE(Buffer.byteLength(body), 12);
  return Buffer.concat([header, Buffer.from(message), Buffer.from(body)]);
};

test('a good answer gives its body, an empty one too', () => {
  expect(decodeAnswer(answer(0, 0, '', '{"fd":7}')).toString()).toBe('{"fd":7}');
  expect(decodeAnswer(answer(0, 0, '', ''))).toHaveLength(0);
});

test('a failed answer throws its error', () => {
  const failed = answer(4, 16, 'attaching to the tap täp0: busy', '');
  expect(() => decodeAnswer(failed)).toThrow(
    expect.objectContaining({code: 'Busy', errno: 16, message: 'attaching to the tap täp0: busy'}),
  );
});

test('an answer that is cut anywhere, or too long, is never taken for a good one', () => {
  const whole = answer(0, 0, '', 'body');
  for (let length = 0; length < whole.length; length += 1) {
    expect(() => decodeAnswer(whole.subarray(0, length))).toThrow(expect.objectContaining({code: 'Panicked'}));
  }
  expect(() => decodeAnswer(Buffer.concat([whole, Buffer.of(0)]))).toThrow(expect.objectContaining({code: 'Panicked'}));
});
