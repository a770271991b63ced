/** The conformance suite in a lab node, step by step as tests. */
import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import type {EngineName} from '@wherry/api';
import {overheadBytes} from '../../../operator/src/pod/overhead.ts';
import {progress} from '../../../scripts/core/progress.ts';
import type {Report} from '../../conformance/report.ts';
import {stories} from '../../conformance/stories.ts';
import {conformanceFiles, conformanceSetUp} from './conformance.ts';
import {Lab} from './lab.ts';

/** For the suite, and for the memory of a guest; a machine that has other things to do takes its time. */
const RUN_MS = 1_200_000;
const only = process.env['WHERRY_CONFORMANCE_ONLY'] ?? '';
const wanted = stories.filter(({name}) => only.split('|').some(part => name.includes(part)));

/** Declares the tests of one engine, with a lab node of its own. */
export function conforms(engine: EngineName): void {
  let scratch: string;
  let lab: Lab;
  let report: Report;

  /** Runs the program; what it says on the way goes to the node's log. */
  const program = async (): Promise<Report> => {
    const json = '/var/tmp/report.json';
    const args = `--kit /payload/kit.json --json ${json} --engine ${engine} --only "${only}" --memory`;
    const command = `exec node /payload/app/main.mjs ${args} >/dev/console 2>&1`;
    const {status} = await lab.run(['sh', '-c', command], {timeoutMs: RUN_MS});
    try {
      return JSON.parse((await lab.read(json)).toString()) as Report;
    } catch (error) {
      throw new Error(`the program came to no result (${status})\n${await lab.log()}`, {cause: error});
    }
  };

  beforeAll(async () => {
    const log = progress();
    scratch = await mkdtemp(join(tmpdir(), 'wherry-conformance-'));
    const files = await conformanceFiles(log, scratch);
    lab = await Lab.boot({name: `conformance-${engine}`, files, progress: log});
    await lab.run(conformanceSetUp);
    report = await log.step(`run the conformance suite on ${engine} with KVM`, program);
    await writeFile(join(lab.folder, 'report.json'), JSON.stringify(report, null, 2));
  }, RUN_MS + 900_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    await rm(scratch, {recursive: true, force: true});
  });

  test('the self-test finds the KVM of an AMD processor usable, in every check', () => {
    expect(report.machine.kvm).toMatchObject({verdict: 'usable', reason: 'all 32 checks passed'});
  });

  const told = wanted.filter(story => story.lacks?.({engine, accelerator: 'kvm'}) === undefined);
  describe.each(told)('$name', ({name: story, steps}) => {
    test.each(steps.map(({name}) => name))('%s', step => {
      const found = report.results.find(one => one.story === story && one.step === step);
      expect(found).toMatchObject({outcome: 'passed'});
    });
  });

  test('what the scheduler reserves beside a guest holds for one that has used all its memory', () => {
    const use = report.memory;
    assert.ok(use !== undefined, 'it was not measured: the log of the node says why');
    const guestBytes = use.guestMiB * 1024 ** 2;
    const machine = {engine, accelerator: 'kvm', vcpus: use.vcpus, graphics: false, efi: false} as const;
    const reserved = overheadBytes({...machine, guestBytes}) / 1024 ** 2;
    console.log(`${JSON.stringify(use)}: ${reserved} MiB are reserved`);
    expect(use.touched).toBeGreaterThan(0.7 * use.guestMiB);
    expect(use.beside).toBeLessThanOrEqual(reserved);
  });
}
