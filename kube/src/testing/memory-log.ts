import type {Log} from '../log.ts';

export interface Line {
  readonly level: keyof Log;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A log that a test can read. */
export class MemoryLog implements Log {
  readonly lines: Line[] = [];

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#add('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#add('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#add('error', fields, message);
  }

  messages(level: keyof Log): string[] {
    return this.lines.filter(line => line.level === level).map(line => line.message);
  }

  #add(level: keyof Log, fields: object, message: string): void {
    this.lines.push({level, fields: {...fields}, message});
  }
}
