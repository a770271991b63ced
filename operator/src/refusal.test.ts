import {expect, test} from '@jest/globals';
import {refusalText} from './refusal.ts';

test.each([
  ['pods "x" is forbidden: exceeded quota: none, requested: pods=1', 'raise that ResourceQuota'],
  [
    'pods "x" is forbidden: failed quota: q: must specify limits.memory for: compute',
    'set spec.domain.resources.limits',
  ],
  ['pods "x" is forbidden: maximum memory usage per Container is 64Mi, but limit is 1Gi', 'the LimitRange'],
  ['pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile', 'the level restricted'],
  ['pods "x" is forbidden: no PriorityClass with name high was found', 'create that PriorityClass'],
])('%s: keeps the API server’s words and says what to do', (message, remedy) => {
  const text = refusalText({message});
  expect(text.startsWith(`${message}: `)).toBe(true);
  expect(text).toContain(remedy);
});

test('a refusal that nobody knows stays as it is', () => {
  expect(refusalText({message: 'admission webhook "w" denied the request'})).toBe(
    'admission webhook "w" denied the request',
  );
});
