/** What an engine must do, as stories: each is the life of one guest, told in steps. */
import type {EngineName} from '@wherry/node-daemon';
import type {Accelerator} from '@wherry/api';
import type {TinyOptions} from '../support/guests.ts';
import type {Guest} from './guest.ts';
import type {Stage} from './stage.ts';

export interface Subject {
  readonly engine: EngineName;
  readonly accelerator: Accelerator;
}

export interface Step {
  /** A sentence about the guest. */
  readonly name: string;
  /** @throws what is not so */
  readonly run: (guest: Guest, stage: Stage) => Promise<void>;
}

export interface Story {
  readonly name: string;
  /** What the guest is like. Its disks and volumes go together. */
  readonly guest?: TinyOptions;
  /** Names of volumes that are claims of 16 MiB. */
  readonly claims?: readonly string[];
  /** What the story needs and this subject lacks, in words that follow "needs"; undefined where it has all. */
  lacks?(subject: Subject): string | undefined;
  readonly steps: readonly Step[];
}
