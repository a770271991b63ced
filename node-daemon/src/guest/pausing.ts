/** What the annotation `wherry.dev/paused` asks of a guest's engine. Pure. */
import {Annotation, type VirtualMachineInstance} from '@wherry/api';
import type {PauseCause} from './launcher-view.ts';

export type PauseCommand = 'pause' | 'resume';

/**
 * The command that makes the guest what its annotation says; undefined where it is so already, or where nothing is said. A
 * guest that a failed disk stopped is not resumed: it would fail again, and again, for as long as the annotation stands.
 */
export const pauseCommand = (
  {metadata}: VirtualMachineInstance,
  paused: PauseCause | undefined,
): PauseCommand | undefined => {
  const wish = metadata.annotations?.[Annotation.paused];
  if (wish === 'true' && paused === undefined) return 'pause';
  return wish === 'false' && paused === 'user' ? 'resume' : undefined;
};
