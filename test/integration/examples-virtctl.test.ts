import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {kindMessage, kindRefusals} from '@wherry/api';
import {repository} from '../../scripts/core/paths.ts';
import {progress} from '../../scripts/core/progress.ts';
import {kubevirtVersion, virtctl} from '../../scripts/toolchain/virtctl.ts';
import {installAnnotationPolicy} from '../support/annotation-policy.ts';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, crdFolder, send} from '../support/crds.ts';
import {virtctlFiles} from '../support/examples/generator.ts';
import {run} from '../support/kubectl.ts';
import {commands} from '../support/virtctl/commands.ts';
import {
  commandOutcomes,
  type CommandOutcome,
  flagOutcomes,
  type FlagOutcome,
  helpOf,
} from '../support/virtctl/outcomes.ts';

let control: ControlPlane;
let tool: string;
let made: readonly FlagOutcome[];
let tried: readonly CommandOutcome[];
beforeAll(async () => {
  tool = await virtctl(progress());
  control = await startControlPlane({crds: [crdFolder]});
  await installAnnotationPolicy(control.admin);
  made = await flagOutcomes(tool, control.admin);
  await send(control, aMachine('vm'));
  tried = await commandOutcomes(tool, control.kubeconfig);
}, 600_000);
afterAll(() => control?.stop(), 30_000);

/** The call with just these arguments after `virtctl create`. */
const call = (...args: readonly string[]): FlagOutcome => made.find(one => one.args.join(' ') === args.join(' '))!;

test('the page says what virtctl does: else run `npm run generate -- --examples`', async () => {
  for (const [path, text] of virtctlFiles(made, tried)) {
    expect(await readFile(join(repository, path), 'utf8')).toBe(text);
  }
});

test('virtctl is the release that is pinned', async () => {
  expect(await run(tool, ['version', '--client'])).toContain(`GitVersion:"${kubevirtVersion}"`);
});

test('every flag of `virtctl create vm` is tried, and every command of virtctl is told of', async () => {
  const flags = await helpOf(tool, 'create', 'vm');
  expect(flags.length).toBeGreaterThan(25);
  const used = new Set(made.flatMap(({args}) => args.map(arg => arg.split('=')[0])));
  expect(flags.filter(flag => flag !== '--help' && !used.has(flag))).toEqual([]);
  const help = (await helpOf(tool)).filter(name => name !== 'help');
  expect([...new Set(commands.map(({name}) => name))].toSorted()).toEqual(help.toSorted());
});

test.each([
  [['vm']],
  [['vm', '--name=web']],
  [['vm', '--memory=1Gi']],
  [['vm', '--run-strategy=RerunOnFailure']],
  [['vm', '--volume-containerdisk=src:registry.example/disk:1']],
  [['vm', '--volume-pvc=src:data', '--infer-instancetype=false', '--infer-preference=false']],
  [['vm', '--user=cloud', '--password-file=password']],
  [['vm', '--user=cloud', '--ssh-key=ssh-ed25519 AAAA']],
])('what `virtctl create %j` makes applies as it is', args => {
  expect(call(...args).why).toEqual([]);
});

const template = (spec: object): object => ({spec: {template: {spec}}});

test('a machine gets what its flags say', () => {
  expect(call('vm', '--memory=1Gi').object).toMatchObject(template({domain: {memory: {guest: '1Gi'}}}));
  expect(call('vm', '--run-strategy=Once').object).toMatchObject({spec: {runStrategy: 'Once'}});
  expect(call('vm', '--termination-grace-period=5').object).toMatchObject(template({terminationGracePeriodSeconds: 5}));
});

test('what is refused is refused by name, with what to use instead or which values there are', () => {
  for (const {args, why} of made) {
    for (const reason of why) {
      expect([args, reason]).toEqual([args, expect.stringMatching(/^(spec\.\S+|[A-Z]\w+ of \S+).*: ["a-z].{9,}/)]);
    }
  }
});

test.each([
  ['instancetype', '--name=small', '--cpu=1', '--memory=1Gi'],
  ['preference', '--name=linux', '--cpu-topology=sockets'],
  ['clone', '--name=copy', '--source-name=vm', '--target-name=other'],
])('the kind that `virtctl create %s` makes is not served, and says what to use instead', (...args) => {
  const {object, why} = call(...args);
  expect(why).toEqual(kindRefusals.filter(({kind}) => kind === object.kind).map(kindMessage));
  expect(why).toHaveLength(1);
});

test('commands that need the subresources API say so, and there is something to use instead', () => {
  const said = new Map(tried.map(({name, says}) => [name, says]));
  for (const name of ['start', 'stop', 'restart', 'migrate', 'unpause', 'guestosinfo']) {
    expect([name, said.get(name)]).toEqual([name, expect.stringContaining('could not find the requested resource')]);
  }
  for (const {name, says, instead} of tried.filter(one => one.says !== '')) {
    expect([name, says, instead.length > 5]).toEqual([name, says, true]);
  }
});
