import {expect, test} from '@jest/globals';
import {annotationMessage, annotationRefusals, refusedAnnotationsIn} from './annotations.ts';

test('an annotation that asks for a feature is refused by name', () => {
  for (const [name, refusal] of Object.entries(annotationRefusals)) {
    expect(refusedAnnotationsIn({[name]: 'true'})).toEqual([annotationMessage(name, refusal)]);
    expect(refusal.instead).toMatch(/^[a-z].{9,}[^.\s]$/);
  }
});

test('values that ask for nothing pass', () => {
  for (const [name, {pass = []}] of Object.entries(annotationRefusals)) {
    for (const value of ['', ...pass]) {
      expect([name, value, refusedAnnotationsIn({[name]: value})]).toEqual([name, value, []]);
    }
  }
});

test('other annotations, and none, pass', () => {
  expect(refusedAnnotationsIn({'example.com/team': 'a', 'wherry.dev/engine': 'qemu'})).toEqual([]);
  expect(refusedAnnotationsIn({})).toEqual([]);
  expect(refusedAnnotationsIn(undefined)).toEqual([]);
});
