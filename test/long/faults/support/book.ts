/** The book that a guest keeps on its disk, as it is read from outside. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

/** What makes the tiny guest keep a book. */
export const bookKeeper: string = readFileSync(join(import.meta.dirname, 'book-keeper.sh'), 'utf8');

export interface Book {
  /** Number of the last record of those that are there without a gap, each with its right checksum. */
  readonly whole: number;
  /** The first line that is not as it should be. */
  readonly broken: string | undefined;
}

/** Reads the text of a disk, without the zeros between its records. */
export const readBook = (text: string): Book => {
  let whole = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (!isRecord(line, whole + 1)) return {whole, broken: line.slice(0, 200)};
    whole++;
  }
  return {whole, broken: undefined};
};

const isRecord = (line: string, number: number): boolean => {
  const [word, count, boot, sum] = line.split(' ');
  const told = `${word} ${count} ${boot}`;
  return word === 'record' && count === String(number) && sum === createHash('md5').update(`${told}\n`).digest('hex');
};
