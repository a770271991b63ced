/** The native engine and its disks: Debian as it was installed, from a block device, and a file that the guest reads and writes. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {progress} from '../../scripts/core/progress.ts';
import {Lab} from './harness/lab.ts';
import {debianGuest} from './harness/native/debian.ts';
import {nativeFiles, runScenario} from './harness/native/guest.ts';
import type {Outcome, Step} from './harness/native/scenario.ts';

/** From the engine's start to the prompt: some 60 s on an idle machine. */
const BOOT_MS = 420_000;
const RUN_MS = BOOT_MS + 300_000;
const COMMAND_MS = 120_000;

/** The second disk, a file of the node. */
const DATA = '/var/tmp/data.raw';
const sizeMiB = 64;
/** Where the guest writes, what it discards, and what the node has written before. */
const written = {offset: 0, mib: 8};
const given = {offset: 32, mib: 4};

/** What nobody needs here and takes its time under emulation. */
const masked = ['resolved', 'networkd', 'timesyncd', 'logind'].map(name => `systemd-${name}.service`);
const commandLine = [
  'console=ttyS0 root=LABEL=root rw net.ifnames=0 cloud-init=disabled mitigations=off quiet',
  ...[...masked, 'ssh.service', 'qemu-guest-agent.service'].map(unit => `systemd.mask=${unit}`),
  // A root shell at the console, without a password.
  ...['agetty.autologin:root', 'login.noauth:yes'].map(credential => `systemd.set_credential=${credential}`),
].join(' ');

/** A step whose result is looked at. */
type Named = Step & {readonly as?: string};

/** Runs it in the guest's shell; gives what it printed, behind its exit code. */
const sh = (as: string, command: string): Named[] => [
  ...start(command),
  {as, expect: '^did (.*)\r', timeoutMs: COMMAND_MS},
];
/** The quotes keep the echo of what is typed from being taken for what is printed. */
const start = (command: string): Named[] => [{type: `X=$(${command}); echo d''id $? $X\n`}];
const node = (as: string, command: string): Named => ({as, run: ['sh', '-c', command]});
const sumOf = ({offset, mib}: {offset: number; mib: number}): string =>
  `dd if=${DATA} bs=1M skip=${offset} count=${mib} 2>/dev/null | sha256sum | cut -c1-64`;

const steps: Named[] = [
  node('given', sumOf(given)),
  {as: 'login', expect: 'login: root', timeoutMs: BOOT_MS},
  {expect: '# ', timeoutMs: COMMAND_MS},
  ...sh('kernel', 'uname -r'),
  ...sh('root', 'findmnt -no SOURCE /'),
  ...sh('sizes', 'cd /sys/block/vdb; cat size serial; echo; cat queue/write_cache'),
  ...sh(
    'read',
    `dd if=/dev/vdb bs=1M skip=${given.offset} count=${given.mib} iflag=direct 2>/dev/null | sha256sum | cut -c1-64`,
  ),
  ...sh(
    'made',
    `dd if=/dev/urandom of=/root/made bs=1M count=${written.mib} conv=fsync 2>/dev/null; sha256sum /root/made | cut -c1-64`,
  ),
  ...sh('copied', `dd if=/root/made of=/dev/vdb bs=1M oflag=direct conv=fsync 2>&1 | tail -c 0`),
  node('written', sumOf(written)),
  {as: 'stats', command: 'query-blockstats'},
  node('before', `stat -c %b ${DATA}`),
  ...sh('discarded', `blkdiscard -o 0 -l ${written.mib}M /dev/vdb`),
  node('after', `stat -c %b ${DATA}`),
  // The file loses its end, and the guest reads there.
  node('', `truncate -s ${sizeMiB / 2}M ${DATA}`),
  ...start(`dd if=/dev/vdb of=/dev/null bs=1M skip=${sizeMiB - 8} count=1 iflag=direct 2>&1 | tail -c 0`),
  {as: 'failure', event: 'BLOCK_IO_ERROR'},
  {as: 'stop', event: 'STOP'},
  {as: 'status', command: 'query-status'},
  {as: 'disks', command: 'query-block'},
  node('', `truncate -s ${sizeMiB}M ${DATA}`),
  {command: 'cont'},
  {as: 'retried', expect: '^did (.*)\r', timeoutMs: COMMAND_MS},
  {as: 'running', command: 'query-status'},
  {as: 'well', command: 'query-block'},
  {type: 'systemctl poweroff\n'},
  {as: 'shutdown', event: 'SHUTDOWN', timeoutMs: COMMAND_MS},
  {as: 'exit', ended: true},
];

let scratch: string;
let lab: Lab;
let outcome: Outcome;

beforeAll(async () => {
  const log = progress();
  scratch = await mkdtemp(join(tmpdir(), 'wherry-native-disk-'));
  const {kernel, initrd, disk} = await debianGuest(log, scratch);
  const files = {...(await nativeFiles(log)), vmlinuz: kernel, initrd};
  lab = await Lab.boot({name: 'native-disk', files, disks: [disk], progress: log});
  const random = `dd if=/dev/urandom of=${DATA} bs=1M seek=${given.offset} count=${given.mib} conv=notrunc`;
  await lab.run(['sh', '-c', `truncate -s ${sizeMiB}M ${DATA} && ${random}`]);
  const guest = {
    kernel: '/payload/vmlinuz',
    initrd: '/payload/initrd',
    commandLine,
    memoryMiB: 512,
    cpus: 1,
    devices: [
      {kind: 'block', name: 'disk-root', path: '/dev/vdc', serial: 'ROOT'},
      {kind: 'block', name: 'disk-data', path: DATA, serial: 'DATA'},
      {kind: 'rng'},
    ],
    steps,
  };
  outcome = await log.step('take Debian through its steps', () => runScenario(lab, 'debian', guest, RUN_MS));
}, 1_200_000);

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await rm(scratch, {recursive: true, force: true});
});

const result = (name: string): unknown => outcome.results[steps.findIndex(({as}) => as === name)];
const line = (name: string): string => String(result(name)).trim();

test('Debian boots from its disk to a login prompt and runs until it powers off', () => {
  console.log(`seconds: ${outcome.seconds.join(' ')}`);
  expect({problem: outcome.problem, log: outcome.log, end: outcome.problem && outcome.console.slice(-2000)}).toEqual({
    problem: undefined,
    log: '',
    end: undefined,
  });
  expect(line('kernel')).toMatch(/^0 6\.12\..*cloud-amd64$/);
  expect(line('root')).toBe('0 /dev/vda1');
  expect(result('shutdown')).toMatchObject({data: {guest: true, reason: 'guest-shutdown'}});
  expect(result('exit')).toBe(0);
});

test('the guest finds the disk as it was described', () => {
  expect(line('sizes')).toBe(`0 ${sizeMiB * 2048} DATA write back`);
});

test('what the node has written the guest reads, and the other way round', () => {
  expect(line('read')).toBe(`0 ${line('given')}`);
  expect(line('made')).toBe(`0 ${line('written')}`);
  expect(line('copied')).toBe('0');
});

test('what the guest wrote to its file system is on the disk after its end', async () => {
  const sum =
    'mkdir /run/guest && mount -o ro,noload /dev/vdc1 /run/guest && sha256sum /run/guest/root/made | cut -c1-64';
  const {stdout, stderr} = await lab.run(['sh', '-c', sum]);
  expect({sum: `0 ${stdout.trim()}`, stderr}).toEqual({sum: line('made'), stderr: ''});
});

test('a discard of the guest frees space on the node', () => {
  expect(line('discarded')).toBe('0');
  expect(Number(line('before')) - Number(line('after'))).toBeGreaterThanOrEqual(written.mib * 2048);
});

test('what a disk did is counted as QEMU counts it', () => {
  const stats = (result('stats') as {qdev: string; stats: Record<string, number>}[]).find(
    ({qdev}) => qdev === 'disk-data',
  );
  expect(stats?.stats).toMatchObject({wr_bytes: written.mib * 1024 ** 2, failed_rd_operations: 0});
  expect(stats?.stats['rd_bytes']).toBeGreaterThanOrEqual(given.mib * 1024 ** 2);
  expect(stats?.stats['flush_operations']).toBeGreaterThan(0);
  expect(stats?.stats['wr_total_time_ns']).toBeGreaterThan(0);
});

test('a guest whose disk fails stands still, and its request is done when the disk is well again', () => {
  expect(result('failure')).toMatchObject({data: {operation: 'read', action: 'stop', nospace: false}});
  expect(result('status')).toEqual({running: false, status: 'io-error'});
  const ofData = (name: string): unknown =>
    (result(name) as {qdev: string; 'io-status': string}[]).find(({qdev}) => qdev === 'disk-data')?.['io-status'];
  expect(ofData('disks')).toBe('failed');
  expect(line('retried')).toBe('0');
  expect(result('running')).toEqual({running: true, status: 'running'});
  expect(ofData('well')).toBe('ok');
});
