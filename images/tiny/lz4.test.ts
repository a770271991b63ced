import {expect, test} from '@jest/globals';
import {Lz4Error, unpackLz4} from './lz4.ts';

/** A frame of blocks that are written out by hand. */
const frame = (...blocks: readonly (readonly number[])[]): Buffer => {
  const parts = [Buffer.from([0x02, 0x21, 0x4c, 0x18])];
  for (const block of blocks) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    parts.push(length, Buffer.from(block));
  }
  return Buffer.concat(parts);
};

const bytes = (text: string): number[] => [...Buffer.from(text)];

test('a block of literal bytes unpacks to them', () => {
  expect(unpackLz4(frame([0x50, ...bytes('hello')])).toString()).toBe('hello');
});

test('a copy repeats what stands before it', () => {
  // Three literals, then 4 + 2 bytes from three back, then one more literal.
  expect(unpackLz4(frame([0x32, ...bytes('abc'), 3, 0, 0x10, ...bytes('!')])).toString()).toBe('abcabcabc!');
});

test('a copy from one byte back makes a run', () => {
  expect(unpackLz4(frame([0x1f, ...bytes('z'), 1, 0, 5, 0x10, ...bytes('.')])).toString()).toBe(`${'z'.repeat(25)}.`);
});

test('a long length goes on in further bytes', () => {
  const text = 'x'.repeat(15 + 255 + 3);
  expect(unpackLz4(frame([0xf0, 255, 3, ...bytes(text)])).toString()).toBe(text);
});

test('a frame ends with its first short block, whatever follows', () => {
  const size = [9, 0, 0, 0];
  const packed = Buffer.concat([frame([0x30, ...bytes('abc')]), Buffer.from(size)]);
  expect(unpackLz4(packed).toString()).toBe('abc');
});

test.each<[string, Buffer]>([
  ['another magic', Buffer.from('nothing here')],
  ['literals past the end', frame([0x90, ...bytes('abc')])],
  ['a copy from before the start', frame([0x12, ...bytes('a'), 9, 0, 0x10, ...bytes('b')])],
  ['a copy from nowhere', frame([0x12, ...bytes('a'), 0, 0, 0x10, ...bytes('b')])],
  ['a block that ends within a sequence', frame([0x12, ...bytes('a'), 1])],
])('refuses %s', (_, packed) => {
  expect(() => unpackLz4(packed)).toThrow(Lz4Error);
});
