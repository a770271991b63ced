/** A sequencer of Jest's: without it, the order of a clean clone is that of the files' sizes, and one worker ran on alone. */
import {basename} from 'node:path';

interface File {
  readonly path: string;
}

/** So that two workers end at about the same time; a file that is not here comes first, until its place is known. */
const order = ['conformance-qemu', 'conformance-native', 'native-process', 'debian', 'debian-13', 'native-net'];

const rank = ({path}: File): number => order.indexOf(basename(path, '.test.ts'));

export default class InOrder {
  sort<T extends File>(files: readonly T[]): readonly T[] {
    return files.toSorted((a, b) => rank(a) - rank(b));
  }

  // What else Jest asks a sequencer: nothing is sharded, and no times are kept.
  shard<T extends File>(files: readonly T[]): readonly T[] {
    return files;
  }

  allFailedTests<T extends File>(files: readonly T[]): readonly T[] {
    return files;
  }

  cacheResults(): void {}
}
