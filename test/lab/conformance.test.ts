/** Both engines with KVM, on a host that has nothing but what a node has: what every engine does, and what it costs. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {engineNames} from '@wherry/api';
import {overheadBytes} from '../../operator/src/pod/overhead.ts';
import {progress} from '../../scripts/core/progress.ts';
import type {MemoryUse} from '../conformance/memory.ts';
import type {Report} from '../conformance/report.ts';
import {stories} from '../conformance/stories.ts';
import {conformanceFiles, conformanceSetUp} from './harness/conformance.ts';
import {Lab} from './harness/lab.ts';

/** For the suite on one engine, and for the memory of its guests. */
const RUN_MS = 540_000;
const only = process.env['WHERRY_CONFORMANCE_ONLY'] ?? '';
const wanted = stories.filter(({name}) => only.split('|').some(part => name.includes(part)));

let scratch: string;
let lab: Lab;

/** Runs the program with these arguments; what it says on the way goes to the node's log. */
const conforms = async <T>(args: string): Promise<T> => {
  const json = '/var/tmp/report.json';
  const program = `exec node /payload/app/main.mjs --kit /payload/kit.json --json ${json} ${args}`;
  const {status} = await lab.run(['sh', '-c', `rm -f ${json}; ${program} >/dev/console 2>&1`], {timeoutMs: RUN_MS});
  try {
    return JSON.parse((await lab.read(json)).toString()) as T;
  } catch (error) {
    throw new Error(`the program came to no result (${status})\n${await lab.log()}`, {cause: error});
  }
};

beforeAll(async () => {
  const log = progress();
  scratch = await mkdtemp(join(tmpdir(), 'wherry-conformance-'));
  const files = await conformanceFiles(log, scratch);
  lab = await Lab.boot({name: 'conformance', files, progress: log});
  await lab.run(conformanceSetUp);
}, 900_000);

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await rm(scratch, {recursive: true, force: true});
});

describe.each(engineNames)('%s with KVM', engine => {
  const told = wanted.filter(story => story.lacks?.({engine, accelerator: 'kvm'}) === undefined);
  let report: Report;

  beforeAll(async () => {
    report = await progress().step(`run the conformance suite on ${engine} with KVM`, () =>
      conforms<Report>(`--engine ${engine} --only "${only}"`),
    );
  }, RUN_MS + 60_000);

  test('KVM is what it should be for the suite to mean something', () => {
    expect(report.machine).toMatchObject({kvm: {verdict: 'usable'}});
  });

  describe.each(told)('$name', ({name: story, steps}) => {
    test.each(steps.map(({name}) => name))('%s', step => {
      const found = report.results.find(one => one.story === story && one.step === step);
      expect(found).toMatchObject({outcome: 'passed'});
    });
  });

  test('what the scheduler reserves beside a guest holds for one that has used all its memory', async () => {
    for (const use of await conforms<MemoryUse[]>(`--engine ${engine} --memory`)) {
      const guestBytes = use.guestMiB * 1024 ** 2;
      const machine = {engine, accelerator: 'kvm', vcpus: use.vcpus, graphics: false, efi: false} as const;
      const reserved = overheadBytes({...machine, guestBytes}) / 1024 ** 2;
      console.log(`${JSON.stringify(use)}: ${reserved} MiB are reserved`);
      expect(use.touched).toBeGreaterThan(0.7 * use.guestMiB);
      expect(use.beside).toBeLessThanOrEqual(reserved);
    }
  });
});
