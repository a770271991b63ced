import {createHash} from 'node:crypto';
import {lstat, readdir, readFile, readlink} from 'node:fs/promises';
import {join} from 'node:path';

export interface Ingredients {
  /** Files and folders, by path. Their names count from the ingredient down, so a moved checkout keeps its key. */
  files?: readonly string[];
  /** Versions, flags and whatever else decides the result. */
  values?: readonly string[];
}

/**
 * Twelve hex digits that change whenever an ingredient does: the content, name or kind of a file, its executable bit,
 * or a value.
 */
export async function fingerprint(ingredients: Ingredients): Promise<string> {
  const hash = createHash('sha256');
  for (const value of ingredients.values ?? []) hash.update(`value ${value.length} ${value}\n`);
  for (const [index, file] of (ingredients.files ?? []).entries()) {
    for await (const line of describe(file, String(index))) hash.update(line);
  }
  return hash.digest('hex').slice(0, 12);
}

async function* describe(path: string, name: string): AsyncGenerator<string> {
  const stat = await lstat(path);
  if (stat.isDirectory()) {
    yield `folder ${name}\n`;
    for (const entry of (await readdir(path)).toSorted()) yield* describe(join(path, entry), `${name}/${entry}`);
  } else if (stat.isSymbolicLink()) {
    yield `link ${name} ${await readlink(path)}\n`;
  } else {
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    yield `file ${name} ${stat.mode & 0o100 ? 'x' : '-'} ${digest}\n`;
  }
}
