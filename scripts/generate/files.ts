import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {type Generator, MARKER} from './generator.ts';

/** A file that is not as its generator says, and what is wrong with it. */
export interface Difference {
  readonly path: string;
  readonly state: 'missing' | 'stale' | 'left over';
}

const read = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
};

/** Generated files that lie in the generator's folders, relative to the repository. */
const present = async (repository: string, generator: Generator): Promise<readonly string[]> => {
  const paths: string[] = [];
  for (const folder of generator.folders) {
    const entries = await readdir(join(repository, folder), {withFileTypes: true}).catch(() => []);
    for (const entry of entries.filter(one => one.isFile())) {
      const path = `${folder}/${entry.name}`;
      if ((await read(join(repository, path)))?.slice(0, 200).includes(MARKER) === true) {
        paths.push(path);
      }
    }
  }
  return paths;
};

/** What would change if the generator wrote its files. */
export const differences = async (repository: string, generator: Generator): Promise<readonly Difference[]> => {
  const wanted = await generator.produce();
  const found: Difference[] = [];
  for (const [path, text] of wanted) {
    const there = await read(join(repository, path));
    if (there !== text) {
      found.push({path, state: there === undefined ? 'missing' : 'stale'});
    }
  }
  const leftOver = (await present(repository, generator)).filter(path => !wanted.has(path));
  return [...found, ...leftOver.map((path): Difference => ({path, state: 'left over'}))];
};

/** Writes what differs and removes what is left over. Returns what it changed. */
export const write = async (repository: string, generator: Generator): Promise<readonly Difference[]> => {
  const wanted = await generator.produce();
  const changes = await differences(repository, generator);
  for (const {path} of changes) {
    const text = wanted.get(path);
    if (text === undefined) {
      await rm(join(repository, path));
    } else {
      await mkdir(dirname(join(repository, path)), {recursive: true});
      await writeFile(join(repository, path), text);
    }
  }
  return changes;
};
