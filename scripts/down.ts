/** `npm run down`: removes the kind cluster with all that runs in it. What took long to make stays in the cache. */
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {clusterDown} from './cluster/cluster.ts';
import {main} from './core/main.ts';
import {cacheFolder, repository} from './core/paths.ts';

await main(async progress => {
  await clusterDown(progress);
  await rm(join(repository, '.wherry'), {recursive: true, force: true});
  progress.note(`what was built is kept for the next time in ${cacheFolder()}; deleting it is always safe`);
});
