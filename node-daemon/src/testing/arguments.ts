import {qemuPlan} from '../engine/qemu/plan.ts';
import {machine} from './machines.ts';

/** The value of an option on QEMU's command line, or all values where it comes more than once. */
export const optionsOf = (overrides: Parameters<typeof machine>[0], option: string, now = 0): readonly string[] => {
  const {args} = qemuPlan(machine(overrides), now).engine;
  return args.flatMap((arg, at) => (arg === option ? [args[at + 1] ?? ''] : []));
};
