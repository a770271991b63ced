import {cpus, loadavg, release, totalmem} from 'node:os';
import {Label} from '@wherry/api';
import {core} from '@wherry/kube';
import type {Stage} from './stage.ts';

/** What numbers mean nothing without. */
export interface Host {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Processes that wanted a CPU in the minute before: more than a fraction of one, and the figures are not the system's. */
  readonly load: number;
}

/** With the cluster that is on it. */
export interface Machine extends Host {
  readonly kubernetes: string;
  /** Verdict of the node's KVM self-test. */
  readonly kvm: string;
  /** Whether the guests of this run are emulated: numbers of emulation prove behaviour, never speed. */
  readonly emulated: boolean;
  readonly engine: string;
}

export const describeHost = (): Host => {
  const [load = 0] = loadavg();
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    load,
  };
};

/** Starts one machine to see what runs it. */
export const describeMachine = async (stage: Stage): Promise<Machine> => {
  const name = 'first';
  const host = describeHost();
  await stage.applyMachine(name);
  await stage.running(name);
  const {engine, conditions} = stage.instances.get(name)?.status ?? {};
  await stage.deleteMachines([name]);
  const node = await stage.client.get(core.nodes, {name: stage.node.name});
  const {gitVersion} = JSON.parse(await stage.kubectl.run('get', '--raw', '/version')) as {gitVersion: string};
  return {
    ...host,
    kubernetes: gitVersion,
    kvm: node?.metadata.labels?.[Label.kvm] ?? 'unknown',
    emulated: conditions?.some(({type, status}) => type === 'SoftwareEmulation' && status === 'True') ?? false,
    engine: `${engine?.name} ${engine?.version}`,
  };
};

export const hostSentence = ({cores, cpu, memoryGiB, kernel, load}: Host): string =>
  `${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, load ${load.toFixed(1)} when it began`;

export const sentence = (machine: Machine): string => {
  const {kubernetes, kvm, emulated, engine} = machine;
  const speed = emulated ? 'emulated: its speed says nothing about a machine with KVM' : 'with KVM';
  return `${hostSentence(machine)}, KVM ${kvm}; Kubernetes ${kubernetes}; ${engine}, ${speed}`;
};
