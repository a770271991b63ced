/** The native engine and the kernels of Debian 12 and 13, each with its own initial file system, with one vCPU and two; `boot` has the one that is missing here. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {progress} from '../../scripts/core/progress.ts';
import {Lab} from './harness/lab.ts';
import {debian12Guest} from './harness/native/debian-12.ts';
import {debianGuest} from './harness/native/debian.ts';
import {nativeFiles, runScenario} from './harness/native/guest.ts';
import type {Outcome} from './harness/native/scenario.ts';
import {BOOT_MS, commandLine, login, type Named, powerOff, sh} from './harness/native/shell.ts';

const RUN_MS = BOOT_MS + 120_000;

/** What its own kernel says of a guest. */
const steps: Named[] = [
  ...login,
  ...sh('kernel', 'uname -r'),
  ...sh('root', 'findmnt -no SOURCE /'),
  ...sh('vcpus', 'nproc'),
  ...sh('module', "grep -c '^virtio_blk ' /proc/modules"),
  ...powerOff,
];

let scratch: string;
let lab: Lab;

beforeAll(async () => {
  const log = progress();
  scratch = await mkdtemp(join(tmpdir(), 'wherry-debian-'));
  const old = await debian12Guest(log);
  const current = await debianGuest(log, scratch);
  const files = {
    ...(await nativeFiles(log, scratch)),
    'debian-12/vmlinuz': old.kernel,
    'debian-12/initrd': old.initrd,
    'debian-13/vmlinuz': current.kernel,
    'debian-13/initrd': current.initrd,
  };
  lab = await Lab.boot({name: 'debian', files, disks: [old.disk, current.disk], progress: log});
}, 1_200_000);

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await rm(scratch, {recursive: true, force: true});
});

describe.each([
  {version: 12, cpus: 1, disk: '/dev/vdc', root: '/dev/vda', kernel: /^0 6\.1\..*cloud-amd64$/},
  {version: 12, cpus: 2, disk: '/dev/vdc', root: '/dev/vda', kernel: /^0 6\.1\..*cloud-amd64$/},
  {version: 13, cpus: 2, disk: '/dev/vdd', root: '/dev/vda1', kernel: /^0 6\.12\..*cloud-amd64$/},
])('Debian $version with $cpus vCPUs', ({version, cpus, disk, root, kernel}) => {
  const folder = `/payload/debian-${version}`;
  let outcome: Outcome;

  beforeAll(async () => {
    const name = `debian-${version}-${cpus}`;
    const machine = {kernel: `${folder}/vmlinuz`, initrd: `${folder}/initrd`, commandLine, memoryMiB: 512, cpus};
    const devices = [{kind: 'block', name: 'disk-root', path: disk}, {kind: 'rng'}];
    outcome = await progress().step(`boot ${name}`, () => runScenario(lab, name, {...machine, devices, steps}, RUN_MS));
  }, RUN_MS + 60_000);

  const line = (name: string): string => String(outcome.results[steps.findIndex(({as}) => as === name)]).trim();

  test('boots to its login and runs until it powers off', () => {
    console.log(`seconds: ${outcome.seconds.join(' ')}`);
    const {problem, log, events, console: said} = outcome;
    const end = problem && said.slice(-2000);
    // One that is reset on the way boots again, and might come to its end all the same.
    expect({problem, log, end, resets: events.filter(event => event === 'RESET')}).toEqual({log: '', resets: []});
    expect(line('exit')).toBe('0');
  });

  test('is what it was to be', () => {
    expect(line('kernel')).toMatch(kernel);
    expect(line('root')).toBe(`0 ${root}`);
    expect(line('vcpus')).toBe(`0 ${cpus}`);
    // No kernel has the driver of its disk built in: its initial file system did.
    expect(line('module')).toBe('0 1');
  });
});
