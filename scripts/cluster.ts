/**
 * The kind cluster by hand: `node scripts/cluster.ts up`, `down`, or `load IMAGE…`.
 */
import {clusterDown, clusterUp} from './cluster/cluster.ts';
import {loadImages} from './cluster/load.ts';
import {main} from './core/main.ts';

await main(async progress => {
  const [verb = 'none', ...images] = process.argv.slice(2);
  switch (verb) {
    case 'up': {
      const {kubeconfig, tools} = await clusterUp(progress);
      progress.note(`export KUBECONFIG=${kubeconfig} PATH=${tools.folder}:$PATH`);
      return;
    }
    case 'down':
      return clusterDown(progress);
    case 'load':
      return loadImages(progress, await clusterUp(progress), images);
    default:
      throw new Error('say up, down or load IMAGE…');
  }
});
