import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {isPlainText, plainText} from './plain-text.ts';

test.each([
  ['letters of all scripts and signs stay', 'Größe 你好 🚀 {"a":1}', 'Größe 你好 🚀 {"a":1}'],
  ['a terminal is told nothing', 'a\u001b[2Jb\r\nc\u0085', 'a�[2Jb��c�'],
  ['the order of reading stays', 'a\u202egnp.exe', 'a�gnp.exe'],
  ['half of a character is none', 'a\ud800b\udc00', 'a�b�'],
])('%s', (_what, text, plain) => {
  expect(plainText(text)).toBe(plain);
  expect(isPlainText(text)).toBe(text === plain);
});

test('any text at all comes back from the API as it was sent', () => {
  fc.assert(
    fc.property(fc.string({unit: 'binary'}), text => {
      const plain = plainText(text);
      expect(plain.isWellFormed()).toBe(true);
      expect(Buffer.from(plain).toString()).toBe(plain);
      expect(plainText(plain)).toBe(plain);
    }),
  );
});
