import {expect, test} from '@jest/globals';
import {sum, writesBetween, writesIn} from './api-metrics.ts';

const line = (verb: string, resource: string, subresource: string, count: number, code = '200'): string =>
  `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="",resource="${resource}",` +
  `scope="resource",subresource="${subresource}",verb="${verb}",version="v1"} ${count}`;

test('counts writes by verb, resource and subresource, over all answers', () => {
  const text = [
    '# HELP apiserver_request_total Counter of requests.',
    line('PATCH', 'pods', 'status', 3),
    line('PATCH', 'pods', 'status', 2, '409'),
    line('POST', 'pods', '', 1, '201'),
    line('GET', 'pods', '', 40),
    line('WATCH', 'pods', '', 40),
  ].join('\n');
  expect(writesIn(text)).toEqual(
    new Map([
      ['PATCH pods/status', 5],
      ['POST pods', 1],
    ]),
  );
});

test('a question that stores nothing is no write', () => {
  const text = [line('POST', 'serviceaccounts', 'token', 3), line('POST', 'tokenreviews', '', 9)].join('\n');
  expect(writesIn(text)).toEqual(new Map());
});

test('what happened between two looks, and what did not is left out', () => {
  const before = new Map([
    ['PUT leases', 10],
    ['POST pods', 1],
  ]);
  const after = new Map([
    ['PUT leases', 16],
    ['POST pods', 1],
    ['POST events', 2],
  ]);
  const between = writesBetween(before, after);
  expect([...between]).toEqual([
    ['POST events', 2],
    ['PUT leases', 6],
  ]);
  expect(sum(between)).toBe(8);
  expect(sum(between, key => !key.endsWith(' leases'))).toBe(2);
});
