/** QMP commands over a launcher's relay, typed by the schema of the pinned QEMU: the native engine's are some of them. */
import {DaemonError} from '../../errors.ts';
import type {LauncherConnection} from '../../launcher/connection.ts';
import {isObject} from '../../launcher/frames.ts';
import type {QmpCommands} from './qmp.generated.ts';

export type QmpCommand = keyof QmpCommands;
type ArgumentsOf<C extends QmpCommand> = QmpCommands[C]['arguments'];

/** What a command returns. Every field may still be missing: the engine is not trusted to keep to its schema. */
export type Unchecked<T> = T extends readonly (infer Item)[]
  ? readonly Unchecked<Item>[]
  : T extends object
    ? {readonly [K in keyof T]?: Unchecked<T[K]>}
    : T | undefined;

export type ReturnOf<C extends QmpCommand> = Unchecked<QmpCommands[C]['returns']>;

/** The objects of a list; none where the engine sent something else. */
export const listOf = <T extends object>(answer: readonly (T | undefined)[] | undefined): readonly T[] =>
  Array.isArray(answer) ? (answer as unknown[]).filter((one): one is T => isObject(one)) : [];

/** The object, or one without any field where the engine sent something else. */
export const fieldsOf = <T extends object>(answer: T | undefined): Partial<T> => (isObject(answer) ? answer : {});

/** @throws DaemonError ENGINE with the engine's own words, and what the connection throws */
export const qmp = async <C extends QmpCommand>(
  connection: Pick<LauncherConnection, 'engine'>,
  execute: C,
  ...[args]: undefined extends ArgumentsOf<C> ? [args?: ArgumentsOf<C>] : [args: ArgumentsOf<C>]
): Promise<ReturnOf<C>> => {
  const reply = await connection.engine({execute, ...(args === undefined ? {} : {arguments: args})});
  if ('error' in reply)
    throw new DaemonError('ENGINE', `the engine refused ${execute} (${reply.error.class}): ${reply.error.desc}`);
  return reply.return as ReturnOf<C>;
};
