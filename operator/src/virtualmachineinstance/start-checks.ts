import {type ConditionReason, Reason, requiredButNotEmulated, zoneOffsetSeconds} from '@wherry/api';
import {chooseRunner, type Runner} from '../pod/runner.ts';
import {unsupportedIn} from '../unsupported.ts';
import {claimNames, type World} from './world.ts';

/** Why no pod is made: a reason that `printableStatus` knows, and what a person can do about it. */
export interface Problem {
  readonly reason: ConditionReason;
  readonly message: string;
}

const isSupported = ({vmi}: World): Problem | undefined => {
  const message = unsupportedIn({spec: vmi.spec, annotations: vmi.metadata.annotations});
  return message === undefined ? undefined : {reason: Reason.NotSupported, message};
};

const claimsExist = ({vmi, claims}: World): Problem | undefined => {
  const missing = claimNames(vmi).filter(name => !claims.has(name));
  if (missing.length === 0) return undefined;
  return {
    reason: Reason.PvcNotFound,
    message: `PersistentVolumeClaim ${missing.join(', ')} does not exist in namespace ${vmi.metadata.namespace}: create it`,
  };
};

const zoneIsKnown = ({vmi}: World): Problem | undefined => {
  const zone = vmi.spec.domain.clock?.timezone ?? '';
  if (zone === '' || zoneOffsetSeconds(zone, 0) !== undefined) return undefined;
  return {
    reason: Reason.UnknownTimeZone,
    message: `domain.clock.timezone ${zone} is unknown: write one like Europe/Paris`,
  };
};

/** Looked at once it is known that software will run the guest. */
const cpuIsEmulated = ({vmi}: World): Problem | undefined => {
  const missing = requiredButNotEmulated(vmi.spec.domain);
  if (missing.length === 0) return undefined;
  return {
    reason: Reason.CpuNotEmulated,
    message:
      `software emulation lacks what domain.cpu.features requires: ${missing.join(', ')}: ` +
      `give it the policy optional, or add a node that has it and a usable KVM`,
  };
};

/** Read from top to bottom: the first that finds something is what the user is told. */
const startChecks = [isSupported, zoneIsKnown, claimsExist];

/** What a pod for this instance would run with, or what stands in its way. */
export const checkStart = (world: World): {readonly runner: Runner} | {readonly problem: Problem} => {
  for (const check of startChecks) {
    const problem = check(world);
    if (problem !== undefined) return {problem};
  }
  const choice = chooseRunner(world.vmi, world.nodes, world.config.allowEmulation);
  if ('problem' in choice) return {problem: {reason: choice.problem.reason, message: choice.problem.message}};
  const problem = choice.runner.accelerator === 'tcg' ? cpuIsEmulated(world) : undefined;
  return problem === undefined ? choice : {problem};
};

/**
 * The daemon sizes a claim's disk by what the claim holds, so a run is handed over only when that is known: always,
 * once the pod runs, except for the moment in which our view of the claims lags behind.
 */
export const claimsBound = ({vmi, claims}: World): boolean =>
  claimNames(vmi).every(name => claims.get(name)?.status?.capacity?.['storage'] !== undefined);
