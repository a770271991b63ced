import {engineNames} from '@wherry/api';
import type {Log} from '@wherry/kube';
import {SetupError} from '../../scripts/core/errors.ts';
import {type MemoryUse, measureMemory} from './memory.ts';
import {closingLines, type Report, resultLine} from './report.ts';
import {runStories} from './runner.ts';
import type {Kit} from './stage.ts';
import {stories} from './stories.ts';
import type {Subject} from './story.ts';

export interface Choice {
  readonly engine: string;
  readonly accelerator: string;
  /** Parts of the names of the stories that are told, with `|` between them; all where it is empty. */
  readonly only: string;
}

/** The daemon's own log would drown the results; what it warns of is worth a line. */
const logTo = (say: (line: string) => void): Log => {
  const line = (fields: object, message: string): void => say(`     ${message} ${JSON.stringify(fields, readable)}`);
  return {debug: () => {}, info: () => {}, warn: line, error: line};
};

/** Errors have nothing that JSON takes. */
const readable = (_: string, value: unknown): unknown => (value instanceof Error ? value.message : value);

/** @throws SetupError for a choice that there is not */
export const conformance = async (kit: Kit, choice: Choice, say: (line: string) => void): Promise<Report> => {
  const report = await runStories({
    subject: subjectOf(choice),
    kit,
    stories: stories.filter(({name}) => choice.only.split('|').some(part => name.includes(part))),
    onResult: result => say(resultLine(result)),
    log: logTo(say),
  });
  closingLines(report).forEach(say);
  return report;
};

export const memoryUse = async (kit: Kit, choice: Choice, say: (line: string) => void): Promise<MemoryUse> => {
  const use = await measureMemory(kit, subjectOf(choice), logTo(say));
  say(JSON.stringify(use));
  return use;
};

export const subjectOf = ({engine: asked, accelerator}: Pick<Choice, 'engine' | 'accelerator'>): Subject => {
  const engine = engineNames.find(one => one === asked);
  if (engine === undefined) throw new SetupError(`there is no engine ${asked}: take ${engineNames.join(' or ')}`);
  if (accelerator !== 'kvm' && accelerator !== 'tcg')
    throw new SetupError(`${accelerator} is no accelerator: take kvm or tcg`);
  if (engine === 'native' && accelerator === 'tcg')
    throw new SetupError('the native engine needs KVM: leave --accelerator out');
  return {engine, accelerator};
};
