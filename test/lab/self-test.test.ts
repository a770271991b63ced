import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {join} from 'node:path';
import {repository} from '../../scripts/core/paths.ts';
import {Lab} from './harness/lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.boot({
    cpus: 2,
    name: 'self-test',
    files: {selftest: join(repository, 'target/release/wherry-kvm-selftest')},
  });
}, 600_000);

afterAll(async () => lab?.[Symbol.asyncDispose]());

test('the self-test finds the KVM of an AMD processor usable, in every check', async () => {
  const {status, stdout, stderr} = await lab.run(['/payload/selftest']);
  expect({status, stderr}).toEqual({status: 0, stderr: ''});
  const report = JSON.parse(stdout) as {verdict: string; reason: string; checks: {name: string; ok: boolean}[]};
  expect(report.checks.filter(({ok}) => !ok)).toEqual([]);
  expect(report).toMatchObject({verdict: 'usable'});
  expect(report.checks).toHaveLength(32);
});
