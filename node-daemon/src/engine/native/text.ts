/** The text that describes a machine to the native engine: JSON, with blanks for what the launcher knows. */

import {unsupportedMachine} from '../../errors.ts';

/** Stands for a value that the launcher puts in. */
export class Blank {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** The number of a descriptor in the engine. */
  static descriptor(name: string): Blank {
    return new Blank(`{fd:${name}}`);
  }

  /**
   * The number in the engine of a file in the pod, which the launcher opens: `how` is its word for the way.
   * @throws DaemonError UNSUPPORTED_MACHINE for a path that could be taken for more than a path
   */
  static file(path: string, how: string): Blank {
    if (/[{}\p{Cc}]/u.test(path))
      throw unsupportedMachine(
        `the native engine takes no path with braces or control characters, as ${path}: use QEMU`,
      );
    return new Blank(`{open:${path}?${how}}`);
  }

  /** One of two values, by whether the file can be used without the node's cache. */
  static byDirectIo(path: string, yes: string, no: string): Blank {
    return new Blank(`"{direct:${path}?${yes}:${no}}"`);
  }

  /** Bytes of the blocks of the filesystem that holds the file. */
  static blockSize(path: string): Blank {
    return new Blank(`{blocksize:${path}}`);
  }
}

export type Value = string | number | boolean | Blank | readonly Value[] | {readonly [name: string]: Value | undefined};

/** Braces of a user's own text are written in another way, so that none of it is taken for a blank. */
export const machineText = (value: Value): string => {
  if (value instanceof Blank) return value.text;
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('{', '\\u007b');
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(machineText).join(',')}]`;
  const fields = Object.entries(value).flatMap(([name, field]) =>
    field === undefined ? [] : [`${JSON.stringify(name)}:${machineText(field)}`],
  );
  return `{${fields.join(',')}}`;
};

const isList = (value: object): value is readonly Value[] => Array.isArray(value);
