/** Guests that do not run for now: what the annotation `wherry.dev/paused` asks of an engine, and what people are told. Pure. */
import {
  Annotation,
  EventReason,
  InstanceCondition,
  type InstanceStatus,
  Reason,
  type VirtualMachineInstance,
} from '@wherry/api';
import type {FailedDisk} from '../engine/engine.ts';
import type {Verdict} from './conditions.ts';
import type {PauseCause} from './launcher-view.ts';

export type PauseCommand = 'pause' | 'resume';

/**
 * The command that makes the guest what its annotation says; undefined where it is so already, or where nothing is said. A
 * guest that a failed disk stopped is resumed now and then, unless it is to stand still anyway: the storage may be well.
 */
export const pauseCommand = (
  {metadata, spec}: VirtualMachineInstance,
  paused: PauseCause | undefined,
  ioRetryDue: boolean,
): PauseCommand | undefined => {
  const wish = metadata.annotations?.[Annotation.paused];
  // A liveness probe would end a guest that is paused; admission refuses the two together.
  if (wish === 'true' && paused === undefined) return spec.livenessProbe === undefined ? 'pause' : undefined;
  if (paused === 'ioError') return ioRetryDue && wish !== 'true' ? 'resume' : undefined;
  return wish === 'false' && paused === 'user' ? 'resume' : undefined;
};

interface Paused {
  readonly paused: PauseCause;
  readonly failedDisks: readonly FailedDisk[];
}

const failure = ({disk, full}: FailedDisk): string =>
  full
    ? `the volume ${disk} is full: make room in it`
    : `the volume ${disk} cannot be read or written: mend its storage`;

/** The first words are KubeVirt's. */
const ioError = (disks: readonly FailedDisk[]): string => {
  const what =
    disks.length === 0 ? 'a volume cannot be read or written: mend its storage' : disks.map(failure).join(', ');
  return `VMI was paused, low-level IO error detected: ${what}. It is resumed by itself, a minute later at most`;
};

/** The condition of a guest that is paused. */
export const pausedVerdict = ({paused, failedDisks}: Paused): Verdict & {readonly message: string} => {
  const shared = {type: InstanceCondition.Paused, status: 'True'} as const;
  return paused === 'user'
    ? {...shared, reason: Reason.PausedByUser, message: 'VMI was paused by user'}
    : {...shared, reason: Reason.PausedIoError, message: ioError(failedDisks)};
};

/** What people are told where a pause begins or ends; undefined where neither is so. */
export const pauseNews = (
  before: InstanceStatus | undefined,
  {paused, failedDisks}: {readonly paused: PauseCause | undefined; readonly failedDisks: readonly FailedDisk[]},
): {readonly what: (typeof EventReason)['Paused' | 'Resumed' | 'IoError']; readonly message: string} | undefined => {
  const was =
    before?.conditions?.some(({type, status}) => type === InstanceCondition.Paused && status === 'True') === true;
  if (was === (paused !== undefined)) return undefined;
  if (paused === undefined) return {what: EventReason.Resumed, message: 'VirtualMachineInstance resumed.'};
  const what = paused === 'user' ? EventReason.Paused : EventReason.IoError;
  return {what, message: pausedVerdict({paused, failedDisks}).message};
};
