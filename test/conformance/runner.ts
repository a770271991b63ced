import {readFile} from 'node:fs/promises';
import {cpus} from 'node:os';
import type {Log} from '@wherry/kube';
import {run} from '../../scripts/core/command.ts';
import type {Guest} from './guest.ts';
import type {Machine, Report, StepResult} from './report.ts';
import {type Kit, Stage} from './stage.ts';
import type {Story, Subject} from './story.ts';

export interface RunnerOptions {
  readonly subject: Subject;
  readonly kit: Kit;
  readonly stories: readonly Story[];
  /** Called with each result as it comes. */
  readonly onResult: (result: StepResult) => void;
  /** The daemon's. */
  readonly log: Log;
}

/** Tells all stories, one guest after the other. Never throws for an engine that does not conform. */
export const runStories = async ({subject, kit, stories, onResult, log}: RunnerOptions): Promise<Report> => {
  const machine = await machineHere(kit);
  const results: StepResult[] = [];
  const report = (result: StepResult): void => {
    results.push(result);
    onResult(result);
  };
  await using stage = await Stage.start(subject, kit, log);
  for (const story of stories) await tell(story, stage, report);
  return {subject, machine, results};
};

/** After a step that fails the guest is not what the next one needs: these were not reached. */
export const tell = async (
  story: Story,
  stage: Pick<Stage, 'subject' | 'guest' | 'remove'>,
  report: (result: StepResult) => void,
): Promise<void> => {
  const lacking = story.lacks?.(stage.subject);
  let guest: Guest | undefined;
  let trouble: string | undefined;
  for (const {name: step, run: play} of story.steps) {
    const started = performance.now();
    const result = (outcome: StepResult['outcome'], reason?: string): void => {
      const ms = Math.round(performance.now() - started);
      report({story: story.name, step, outcome, ms, ...(reason === undefined ? {} : {reason})});
    };
    if (lacking !== undefined) result('skipped', `needs ${lacking}`);
    else if (trouble !== undefined) result('failed', `not reached, for ${trouble}`);
    else {
      try {
        guest ??= await stage.guest(nameOf(story), story);
        await play(guest, stage as Stage);
        result('passed');
      } catch (error) {
        trouble = `“${step}” failed`;
        result('failed', `${messageOf(error)}\n${guest?.pod.console.slice(-2000) ?? ''}`);
      }
    }
  }
  if (guest !== undefined) await stage.remove(guest);
};

const nameOf = ({name}: Story): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const machineHere = async ({selfTest}: Kit): Promise<Machine> => {
  const {verdict, reason} = JSON.parse(await run(selfTest, [])) as Machine['kvm'];
  const kernel = (await readFile('/proc/sys/kernel/osrelease', 'utf8')).trim();
  return {kernel, processor: cpus()[0]?.model ?? 'an unknown processor', kvm: {verdict, reason}};
};
