import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {repository} from '../../scripts/core/paths.ts';
import {eventually} from '../support/eventually.ts';
import {type AnyObject, examplesIn, pinnedExampleFolder} from '../support/examples/manifests.ts';
import {isMachine} from '../support/examples/outcomes.ts';
import {PAGE} from '../support/examples/page.ts';
import {claimsOf, filledClaim, staged} from '../support/examples/stage.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

/** As many guests as start well together under emulation on two CPUs. */
const together = 2;

interface Machine {
  readonly file: string;
  readonly object: AnyObject;
}

let cluster: Cluster;
let machines: readonly Machine[];
beforeAll(async () => {
  cluster = await Cluster.open('examples');
  const examples = await examplesIn(await pinnedExampleFolder());
  const page = await readFile(join(repository, PAGE), 'utf8');
  const rows = (here: string): readonly Machine[] =>
    examples
      .filter(({file}) => new RegExp(`^\\| ${file} \\| .* \\| ${here} \\|`, 'm').test(page))
      .flatMap(example => staged(example, cluster.env).map(object => ({file: example.file, object})));
  machines = rows('runs').filter(({object}) => isMachine(object));
  const claims = new Set(machines.flatMap(({object}) => claimsOf(object)));
  // Classes of priority and what else there is of Kubernetes' own; some are of the whole cluster.
  await cluster.kubectl.apply(...rows('applies').map(({object}) => object));
  await cluster.kubectl.apply(...[...claims].flatMap(name => filledClaim(name, cluster.env)));
  for (const name of claims) {
    await cluster.kubectl.run('wait', `pod/fill-${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s');
    await cluster.kubectl.run('delete', 'pod', `fill-${name}`);
  }
});
afterAll(async () => {
  await cluster?.kubectl.run('delete', 'priorityclass', '--ignore-not-found', 'preemtible', 'non-preemtible');
  await cluster?.close();
});

/** Machines of KubeVirt's examples are stopped when they are made. */
const start = async ({object}: Machine): Promise<void> => {
  await cluster.kubectl.apply(object);
  if (object.kind === 'VirtualMachine') {
    await cluster.kubectl.mergePatch(`vm/${object.metadata.name}`, {spec: {runStrategy: 'Always'}});
  }
};

const runs = async ({file, object}: Machine): Promise<string> => {
  const {name} = object.metadata;
  await eventually(
    async () => {
      const {status} = await cluster.vmi(name);
      if (status?.phase !== 'Running') throw new Error(`${file}: ${name} is ${status?.phase}, not Running`);
    },
    {timeoutMs: 120_000},
  );
  await cluster.booted(name, /login:/);
  return file;
};

const ends = async ({object}: Machine): Promise<void> => {
  await cluster.kubectl.run('delete', `${object.kind.toLowerCase()}/${object.metadata.name}`, '--timeout=90s');
};

/** Machines that run one after the other: those with claims, which two of them share. All others wait for nobody. */
const lanesOf = (machines: readonly Machine[]): (readonly Machine[])[] => {
  const hasClaims = ({object}: Machine): boolean => claimsOf(object).length > 0;
  return [machines.filter(hasClaims), ...machines.filter(machine => !hasClaims(machine)).map(machine => [machine])];
};

test("every example manifest of KubeVirt that is said to run boots a guest, in KubeVirt's own words", async () => {
  expect(machines.length).toBeGreaterThan(10);
  const booted: string[] = [];
  const lanes = lanesOf(machines);
  const work = async (): Promise<void> => {
    for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) {
      for (const machine of lane) {
        await start(machine);
        booted.push(await runs(machine));
        await ends(machine);
      }
    }
  };
  await Promise.all(Array.from({length: together}, work));
  expect(booted.toSorted()).toEqual(machines.map(({file}) => file).toSorted());
});
