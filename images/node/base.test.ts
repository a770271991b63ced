import {expect, test} from '@jest/globals';
import type {Progress} from '../../scripts/core/progress.ts';
import {baseImage, officialBase} from './base.ts';

const listening = (): {progress: Progress; said: string[]} => {
  const said: string[] = [];
  return {said, progress: {note: text => void said.push(text), step: (_, work) => work(() => undefined)}};
};

const mustNotAsk = (): never => {
  throw new Error('asked a registry');
};

test('stands on the official base where a registry answers', async () => {
  const {progress, said} = listening();
  const base = await baseImage(progress, {source: async () => 'registry', fetched: async () => true});
  expect(base).toBe(officialBase);
  expect(said).toEqual([]);
});

test('stands on nothing where no registry answers, and asks for nothing', async () => {
  const {progress} = listening();
  expect(await baseImage(progress, {source: async () => 'local', fetched: mustNotAsk})).toBe('scratch');
});

test('says so where a registry answers but has no base to give', async () => {
  const {progress, said} = listening();
  expect(await baseImage(progress, {source: async () => 'registry', fetched: async () => false})).toBe('scratch');
  expect(said[0]).toContain('cannot be fetched');
});
