/** The native engine and its networks: a stock kernel of Debian behind a tap, whose frames the engine or vhost-net carries. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {progress} from '../../scripts/core/progress.ts';
import {tinyKernelArgs} from '../support/guests.ts';
import {Lab} from './harness/lab.ts';
import {bareGuest} from './harness/native/bare.ts';
import {nativeFiles, runScenario} from './harness/native/guest.ts';
import type {Outcome, Step, Use} from './harness/native/scenario.ts';

const SCENARIO_MS = 240_000;
const STREAM_MIB = 4;
const DATA = '/var/tmp/stream';
const [HOST, GUEST] = ['10.0.2.1', '10.0.2.2'];
const MAC = '02:00:00:00:00:07';

let scratch: string;
let lab: Lab;

beforeAll(async () => {
  const log = progress();
  scratch = await mkdtemp(join(tmpdir(), 'wherry-native-net-'));
  const {kernel, initrd} = await bareGuest(log, scratch);
  const files = {...(await nativeFiles(log, scratch)), vmlinux: kernel, initrd};
  lab = await Lab.boot({name: 'native-net', files, progress: log});
  await lab.run(['sh', '-c', `head -c ${STREAM_MIB}M /dev/urandom >${DATA}`]);
}, 900_000);

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await rm(scratch, {recursive: true, force: true});
});

/** What a command at the guest's console says in its last line. The command is echoed as it is typed, so its end looks different. */
const asked = (command: string): Step[] => [
  {type: `echo "said $(${command})."\n`},
  {expect: '^said (.*)\\.\\r?$', timeoutMs: SCENARIO_MS},
];
const inNode = (script: string): Step => ({run: ['sh', '-c', script], timeoutMs: SCENARIO_MS});
const nodeReaches = inNode(`busybox ping -c 2 -W 10 ${GUEST} >/dev/null && echo yes`);
const nodeDoesNotReach = inNode(`busybox ping -c 1 -W 3 ${GUEST} >/dev/null || echo no`);
const setLink = (up: boolean): Step => ({command: 'set_link', arguments: {name: 'net', up}});

/** Each with a name for what came of it: of several steps, the last. */
const story: readonly (readonly [string, readonly Step[]])[] = [
  ['up', [{expect: 'guest: up', timeoutMs: SCENARIO_MS}]],
  ['card', asked('cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu /sys/class/net/eth0/carrier | xargs echo')],
  ['buses', asked('ls /sys/class/pci_bus | wc -l')],
  ['node to guest', [nodeReaches]],
  ['guest to node', asked(`ping -c 2 -W 10 ${HOST} >/dev/null && echo yes`)],
  ['sum', [inNode(`sha256sum <${DATA}`)]],
  [
    'stream to the guest',
    [
      {type: 'nc -l -p 1000 >/tmp/data\n'},
      inNode(`until busybox nc ${GUEST} 1000 <${DATA}; do sleep 1; done`),
      ...asked('sha256sum </tmp/data'),
    ],
  ],
  [
    'stream from the guest',
    [{type: `until nc ${HOST} 1001 </tmp/data; do sleep 1; done\n`}, inNode('busybox nc -l -p 1001 | sha256sum')],
  ],
  ['pulled', [setLink(false), ...asked('cat /sys/class/net/eth0/carrier'), nodeDoesNotReach]],
  ['plugged in', [setLink(true), ...asked('cat /sys/class/net/eth0/carrier'), nodeReaches]],
  ['paused', [{command: 'stop'}, {event: 'STOP'}, nodeDoesNotReach]],
  ['resumed', [{command: 'cont'}, nodeReaches]],
  ['use', [{use: true}]],
  ['statistics', [{command: 'query-statistics'}]],
  ['reset', [{command: 'system_reset'}, {expect: 'guest: up', timeoutMs: SCENARIO_MS}, nodeReaches]],
  ['no such card', [{command: 'set_link', arguments: {name: 'other', up: true}}]],
  ['off', [{type: 'poweroff -f\n'}, {ended: true, timeoutMs: SCENARIO_MS}]],
];

describe.each([
  ['the engine', false, 4],
  // With its two devices, all ports that there can be.
  ['vhost-net', true, 29],
])('frames that %s carries', (name, vhost, sparePorts) => {
  let outcome: Outcome;
  let results: Map<string, unknown>;

  beforeAll(async () => {
    const devices = [
      {kind: 'net', name: 'net', tap: 'tap0', address: `${HOST}/24`, vhost, mac: MAC, mtu: 1450},
      {kind: 'rng'},
    ];
    const machine = {
      kernel: '/payload/vmlinux',
      initrd: '/payload/initrd',
      commandLine: `${tinyKernelArgs} net.ifnames=0`,
      memoryMiB: 128,
      cpus: 1,
      sparePorts,
    };
    const steps = story.flatMap(([, steps]) => steps);
    outcome = await runScenario(lab, name.replace(' ', '-'), {...machine, devices, steps}, SCENARIO_MS * 2);
    let at = 0;
    results = new Map(story.map(([key, steps]) => [key, outcome.results[(at += steps.length) - 1]]));
  }, SCENARIO_MS * 3);

  test('all that was to be done could be done', () => {
    console.log(JSON.stringify({seconds: outcome.seconds, log: outcome.log, results: [...results]}));
    expect(outcome).not.toHaveProperty('problem');
    expect(results.get('off')).toBe(0);
  });

  test('the guest sees its card as it was described', () => {
    expect(results.get('card')).toBe(`${MAC} 1450 1`);
  });

  test('it has a bus behind each root port', () => {
    expect(results.get('buses')).toBe(String(1 + 2 + sparePorts));
  });

  test('both ends answer each other', () => {
    expect(results.get('node to guest')).toBe('yes\n');
    expect(results.get('guest to node')).toBe('yes');
  });

  test('streams arrive whole, both ways', () => {
    const sum = String(results.get('sum')).trim();
    expect(results.get('stream to the guest')).toBe(sum);
    expect(String(results.get('stream from the guest')).trim()).toBe(sum);
  });

  test('a cable that is pulled carries nothing until it is plugged in', () => {
    const carriers = outcome.results.filter(one => one === '0' || one === '1');
    expect(carriers).toEqual(['0', '1']);
    expect(results.get('pulled')).toBe('no\n');
    expect(results.get('plugged in')).toBe('yes\n');
    expect(results.get('no such card')).toMatchObject({error: {class: 'GenericError'}});
  });

  test('a guest that is paused, resumed and reset has its network again', () => {
    expect(results.get('paused')).toBe('no\n');
    expect(results.get('resumed')).toBe('yes\n');
    expect(results.get('reset')).toBe('yes\n');
  });

  test('whoever carries the frames counts them', () => {
    const {devices} = results.get('statistics') as {devices: {kind: string; counters: Record<string, number>}[]};
    const {counters = {}} = devices.find(({kind}) => kind === 'net') ?? {};
    const {threads} = results.get('use') as Use;
    expect(threads.some(thread => thread.startsWith('vhost-'))).toBe(vhost);
    if (vhost) return expect(counters).toEqual({});
    expect(counters).toMatchObject({rxDropped: expect.any(Number), txDropped: expect.any(Number)});
    for (const bytes of ['rxBytes', 'txBytes']) expect(counters[bytes]).toBeGreaterThan(STREAM_MIB * 1024 ** 2);
  });

  test('beside the RAM of a guest of 128 MiB the engine needs 6 MiB at most', () => {
    expect((results.get('use') as Use).besideKiB).toBeLessThanOrEqual(6 * 1024);
  });
});
