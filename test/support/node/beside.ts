import type {NodeShell, Process} from './node-shell.ts';
import {qemuUse} from './smaps.ts';

/** The engine among the processes of a pod. */
export const engineOf = (processes: readonly Process[]): Process => {
  const engine = processes.find(({program}) => program.startsWith('qemu-system'));
  if (engine === undefined) throw new Error('no QEMU runs in the pod');
  return engine;
};

/** What a pod is charged beside its guest's memory, in bytes. */
export interface Beside {
  /** Heaps and stacks of all processes, and memory in tmpfs that is not the guest's. */
  readonly own: number;
  /** TCG's buffer alone. */
  readonly buffer: number;
  /** Page tables and what else the kernel keeps. */
  readonly kernel: number;
  readonly code: number;
  readonly sum: number;
  /** How much of the guest's memory has been touched. */
  readonly guest: number;
}

/**
 * As if the pod were alone on its node: code that several pods run is charged to the first that touches it. The files of a
 * kernelBoot are left out: the kernel drops them when memory is needed.
 */
export const besideGuest = async (node: NodeShell, podUid: string): Promise<Beside> => {
  const processes = await node.processes(podUid);
  const engine = engineOf(processes);
  // A guest that boots takes memory between two looks.
  const [charge, mappings] = await node.standing(engine.pid, () =>
    Promise.all([node.charge(engine.pid), node.mappings(engine.pid)]),
  );
  const use = qemuUse(mappings, 'resident');
  // The launcher's few pages are code; what it has of its own stands among the pod's.
  const launcher = processes.find(({program}) => program.startsWith('wherry-launcher'))?.resident ?? 0;
  const parts = {
    own: charge.anonymous + charge.shared - use['guest memory'] - use['TCG buffer'],
    buffer: use['TCG buffer'],
    kernel: charge.kernel,
    code: use['code and libraries'] + launcher,
  };
  return {...parts, sum: parts.own + parts.buffer + parts.kernel + parts.code, guest: use['guest memory']};
};
