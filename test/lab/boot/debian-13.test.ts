/** The native engine runs Debian 13 as it was installed: to its login, with a disk that is a block device and one that is a file, with its network, and until it powers off. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {progress} from '../../../scripts/core/progress.ts';
import {Lab} from '../harness/lab.ts';
import {debianGuest} from '../harness/native/debian.ts';
import {nativeFiles, runScenario} from '../harness/native/guest.ts';
import type {Outcome} from '../harness/native/scenario.ts';
import {BOOT_MS, commandLine, done, login, type Named, powerOff, sh, start} from '../harness/native/shell.ts';

const RUN_MS = BOOT_MS + 300_000;

/** The second disk, a file of the node. */
const DATA = '/var/tmp/data.raw';
const sizeMiB = 64;
/** Where the guest writes, what it discards, and what the node has written before. */
const written = {offset: 0, mib: 8};
const given = {offset: 32, mib: 4};

/** The node's end of the cable, and the guest's. */
const [HOST, GUEST] = ['10.0.2.1', '10.0.2.2'];

const node = (as: string, command: string): Named => ({as, run: ['sh', '-c', command]});
const sumOf = ({offset, mib}: {offset: number; mib: number}): string =>
  `dd if=${DATA} bs=1M skip=${offset} count=${mib} 2>/dev/null | sha256sum | cut -c1-64`;

const steps: Named[] = [
  node('given', sumOf(given)),
  ...login,
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
  // Nobody logs in later because a driver is still being loaded.
  ...sh('address', `until ip link set eth0 up 2>/dev/null; do sleep 1; done; ip addr add ${GUEST}/24 dev eth0`),
  node('ping', `busybox ping -c 2 -W 10 ${GUEST} >/dev/null && echo yes`),
  // As many bytes as were written to the disk, to the guest and back.
  ...start(`until sha256sum </dev/tcp/${HOST}/1001; do sleep 1; done 2>/dev/null | cut -c1-64`),
  node('', `busybox nc -l -p 1001 <${DATA}.sent`),
  done('received'),
  ...start(`until cat /root/made >/dev/tcp/${HOST}/1002; do sleep 1; done 2>/dev/null`),
  node('sent', 'busybox nc -l -p 1002 | sha256sum | cut -c1-64'),
  done('sending'),
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
  done('retried'),
  {as: 'running', command: 'query-status'},
  {as: 'well', command: 'query-block'},
  ...powerOff,
];

let scratch: string;
let lab: Lab;
let outcome: Outcome;
let sentSum: string;

beforeAll(async () => {
  const log = progress();
  scratch = await mkdtemp(join(tmpdir(), 'wherry-debian-13-'));
  const {kernel, initrd, disk} = await debianGuest(log, scratch);
  const files = {...(await nativeFiles(log, scratch)), vmlinuz: kernel, initrd};
  lab = await Lab.boot({name: 'debian-13', files, disks: [disk], progress: log});
  const random = `dd if=/dev/urandom of=${DATA} bs=1M seek=${given.offset} count=${given.mib} conv=notrunc`;
  const sent = `dd if=/dev/urandom of=${DATA}.sent bs=1M count=${written.mib}`;
  await lab.run(['sh', '-c', `truncate -s ${sizeMiB}M ${DATA} && ${random} && ${sent}`]);
  sentSum = (await lab.run(['sh', '-c', `sha256sum <${DATA}.sent | cut -c1-64`])).stdout.trim();
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
      {kind: 'net', name: 'net', tap: 'tap0', address: `${HOST}/24`, mac: '02:00:00:00:00:07'},
    ],
    steps,
  };
  outcome = await log.step('take Debian through its steps', () => runScenario(lab, 'guest', guest, RUN_MS));
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

test('what the node sends over the network the guest receives, and the other way round', () => {
  expect(line('address')).toBe('0');
  expect(line('ping')).toBe('yes');
  expect(line('received')).toBe(`0 ${sentSum}`);
  expect(`0 ${line('sent')}`).toBe(line('made'));
  expect(line('sending')).toBe('0');
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
