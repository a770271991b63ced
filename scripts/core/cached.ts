import {existsSync} from 'node:fs';
import {mkdir, readdir, rename, rm, stat, utimes} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {withLock} from './lock.ts';

/**
 * The folder `<parent>/<name>-<key>`, made by `make` unless it is there. It appears whole or not at all, whatever
 * interrupts the making, and is made once when two processes want it. The two latest other versions are kept.
 */
export async function cachedFolder(
  parent: string,
  name: string,
  key: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(parent, `${name}-${key}`);
  if (!existsSync(folder)) {
    await withLock(join(parent, `${name}.lock`), async () => {
      if (existsSync(folder)) return;
      const partial = `${folder}.partial`;
      await rm(partial, {recursive: true, force: true});
      await mkdir(partial, {recursive: true});
      await make(partial);
      await rename(partial, folder);
      await forgetOldVersions(folder, name);
    });
  }
  // Its age is when it was last used.
  await utimes(folder, new Date(), new Date());
  return folder;
}

async function forgetOldVersions(current: string, name: string): Promise<void> {
  const parent = dirname(current);
  const pattern = new RegExp(`^${name}-[0-9a-f]{12}(\\.partial)?$`);
  const others = (await readdir(parent)).filter(entry => pattern.test(entry)).map(entry => join(parent, entry));
  const dated = await Promise.all(
    others.filter(path => path !== current).map(async path => ({path, at: (await stat(path)).mtimeMs})),
  );
  const old = dated.toSorted((a, b) => b.at - a.at).slice(2);
  await Promise.all(old.map(({path}) => rm(path, {recursive: true, force: true})));
}
