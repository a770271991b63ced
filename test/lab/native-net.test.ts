/** The native engine and its networks: a stock kernel of Debian with two cards, one whose frames the engine carries and one of vhost-net. */
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

/** With these three devices and the spare ones, all root ports that there can be. */
const [DEVICES, SPARE_PORTS] = [3, 28];

interface Card {
  /** As the guest names it, and the engine's commands. */
  readonly name: string;
  readonly mac: string;
  readonly node: string;
  readonly guest: string;
}

const cards = [
  {name: 'eth0', carrier: 'the engine', vhost: false, mac: '02:00:00:00:00:07', node: '10.0.2.1', guest: '10.0.2.2'},
  {name: 'eth1', carrier: 'vhost-net', vhost: true, mac: '02:00:00:00:00:08', node: '10.0.3.1', guest: '10.0.3.2'},
] as const;

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
const nodeReaches = ({guest}: Card): Step => inNode(`busybox ping -c 2 -W 10 ${guest} >/dev/null && echo yes`);
const nodeDoesNotReach = ({guest}: Card): Step => inNode(`busybox ping -c 1 -W 1 ${guest} >/dev/null || echo no`);
const setLink = ({name}: Card, up: boolean): Step => ({command: 'set_link', arguments: {name, up}});

/** Each with a name for what came of it: of several steps, the last. */
type Chapter = readonly [string, readonly Step[]];

/** What happens with each card; the names of the others' results begin with the card's. */
const ofCard = (card: Card): Chapter[] => {
  const {name, node, guest} = card;
  const files = `/sys/class/net/${name}`;
  const chapters: Chapter[] = [
    ['card', asked(`cat ${files}/address ${files}/mtu ${files}/carrier | xargs echo`)],
    ['node to guest', [nodeReaches(card)]],
    ['guest to node', asked(`ping -c 2 -W 10 ${node} >/dev/null && echo yes`)],
    [
      'stream to the guest',
      [
        {type: 'nc -l -p 1000 >/tmp/data\n'},
        inNode(`until busybox nc ${guest} 1000 <${DATA}; do sleep 1; done`),
        ...asked('sha256sum </tmp/data'),
      ],
    ],
    [
      'stream from the guest',
      [{type: `until nc ${node} 1001 </tmp/data; do sleep 1; done\n`}, inNode('busybox nc -l -p 1001 | sha256sum')],
    ],
    ['carrier gone', [setLink(card, false), ...asked(`cat ${files}/carrier`)]],
    ['pulled', [nodeDoesNotReach(card)]],
    ['carrier back', [setLink(card, true), ...asked(`cat ${files}/carrier`)]],
    ['plugged in', [nodeReaches(card)]],
  ];
  return chapters.map(([what, steps]) => [`${name} ${what}`, steps]);
};

/** Of each card, under a name that begins with the card's. */
const each = (what: string, step: (card: Card) => Step): Chapter[] =>
  cards.map(card => [`${card.name} ${what}`, [step(card)]]);

const story: readonly Chapter[] = [
  ['up', [{expect: 'guest: up', timeoutMs: SCENARIO_MS}]],
  ['buses', asked('ls /sys/class/pci_bus | wc -l')],
  ['sum', [inNode(`sha256sum <${DATA}`)]],
  ...cards.flatMap(ofCard),
  ['stopped', [{command: 'stop'}, {event: 'STOP'}]],
  ...each('paused', nodeDoesNotReach),
  ['running', [{command: 'cont'}]],
  ...each('resumed', nodeReaches),
  ['use', [{use: true}]],
  ['statistics', [{command: 'query-statistics'}]],
  ['anew', [{command: 'system_reset'}, {expect: 'guest: up', timeoutMs: SCENARIO_MS}]],
  ...each('reset', nodeReaches),
  ['no such card', [{command: 'set_link', arguments: {name: 'other', up: true}}]],
  ['off', [{type: 'poweroff -f\n'}, {ended: true, timeoutMs: SCENARIO_MS}]],
];

let outcome: Outcome;
let results: Map<string, unknown>;

beforeAll(async () => {
  const nets = cards.map(({name, vhost, mac, node}, index) => {
    return {kind: 'net', name, tap: `tap${index}`, address: `${node}/24`, vhost, mac, mtu: 1450};
  });
  const machine = {
    kernel: '/payload/vmlinux',
    initrd: '/payload/initrd',
    commandLine: `${tinyKernelArgs} net.ifnames=0`,
    memoryMiB: 128,
    cpus: 1,
    sparePorts: SPARE_PORTS,
  };
  const steps = story.flatMap(([, steps]) => steps);
  outcome = await runScenario(
    lab,
    'native-net',
    {...machine, devices: [...nets, {kind: 'rng'}], steps},
    SCENARIO_MS * 2,
  );
  let at = 0;
  results = new Map(story.map(([key, steps]) => [key, outcome.results[(at += steps.length) - 1]]));
}, SCENARIO_MS * 3);

test('all that was to be done could be done', () => {
  console.log(JSON.stringify({seconds: outcome.seconds, log: outcome.log, results: [...results]}));
  expect(outcome).not.toHaveProperty('problem');
  expect(results.get('off')).toBe(0);
});

test('the guest has a bus behind each root port', () => {
  expect(results.get('buses')).toBe(String(1 + DEVICES + SPARE_PORTS));
});

test('a card that there is not cannot be pulled', () => {
  expect(results.get('no such card')).toMatchObject({error: {class: 'GenericError'}});
});

test('beside the RAM of a guest of 128 MiB the engine needs 6 MiB at most', () => {
  expect((results.get('use') as Use).besideKiB).toBeLessThanOrEqual(6 * 1024);
});

test('the kernel has a thread for the card that it carries', () => {
  const {threads} = results.get('use') as Use;
  expect(threads.filter(thread => thread.startsWith('vhost-'))).toHaveLength(1);
});

describe.each(cards)('frames that $carrier carries', ({name, mac, vhost}) => {
  const of = (what: string): unknown => results.get(`${name} ${what}`);

  test('the guest sees its card as it was described', () => {
    expect(of('card')).toBe(`${mac} 1450 1`);
  });

  test('both ends answer each other', () => {
    expect(of('node to guest')).toBe('yes\n');
    expect(of('guest to node')).toBe('yes');
  });

  test('streams arrive whole, both ways', () => {
    const sum = String(results.get('sum')).trim();
    expect(of('stream to the guest')).toBe(sum);
    expect(String(of('stream from the guest')).trim()).toBe(sum);
  });

  test('a cable that is pulled carries nothing until it is plugged in', () => {
    expect(of('carrier gone')).toBe('0');
    expect(of('pulled')).toBe('no\n');
    expect(of('carrier back')).toBe('1');
    expect(of('plugged in')).toBe('yes\n');
  });

  test('a guest that is paused, resumed and reset has its network again', () => {
    expect(of('paused')).toBe('no\n');
    expect(of('resumed')).toBe('yes\n');
    expect(of('reset')).toBe('yes\n');
  });

  test('whoever carries the frames counts them', () => {
    const {devices} = results.get('statistics') as {devices: {kind: string; counters: Record<string, number>}[]};
    // They come in the order that they were described in.
    const nets = devices.filter(({kind}) => kind === 'net');
    const {counters} = nets[vhost ? 1 : 0] ?? {};
    if (vhost) return expect(counters).toEqual({});
    expect(counters).toMatchObject({rxDropped: expect.any(Number), txDropped: expect.any(Number)});
    for (const bytes of ['rxBytes', 'txBytes']) expect(counters?.[bytes]).toBeGreaterThan(STREAM_MIB * 1024 ** 2);
  });
});
