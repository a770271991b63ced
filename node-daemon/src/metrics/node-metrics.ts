import {kvmVerdicts} from '@wherry/api';
import {collectDefaultMetrics, Gauge, type Registry} from 'prom-client';
import type {KvmReport} from '../node/kvm-report.ts';

export interface NodeMetricsOptions {
  readonly node: string;
  readonly registry: Registry;
  readonly kvm: () => KvmReport | undefined;
  readonly guests: () => number;
}

/** The daemon's own health: process, event loop, what it found of KVM and how many launchers it holds. */
export const registerNodeMetrics = ({node, registry, kvm, guests}: NodeMetricsOptions): void => {
  collectDefaultMetrics({register: registry});
  const verdict: Gauge = new Gauge({
    name: 'wherry_node_kvm',
    help: 'Verdict of the KVM self-test: 1 for the one that was found.',
    labelNames: ['node', 'verdict'],
    registers: [registry],
    collect: () => {
      verdict.reset();
      const found = kvm()?.verdict;
      if (found !== undefined) for (const one of kvmVerdicts) verdict.set({node, verdict: one}, one === found ? 1 : 0);
    },
  });
  const ready: Gauge = new Gauge({
    name: 'kubevirt_virt_handler_ready_status',
    help: 'Whether the daemon of the node can run guests: 1 or 0.',
    registers: [registry],
    collect: () => ready.set(kvm() === undefined ? 0 : 1),
  });
  const held: Gauge = new Gauge({
    name: 'wherry_node_guests',
    help: 'Guests of this node whose launchers the daemon holds.',
    labelNames: ['node'],
    registers: [registry],
    collect: () => held.set({node}, guests()),
  });
};
