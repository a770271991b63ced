import {run} from '../core/command.ts';
import type {Progress} from '../core/progress.ts';
import type {Cluster} from './cluster.ts';

/** Puts images of the Docker daemon on those nodes where pods run that lack them. Quick where none does. */
export async function loadImages(
  progress: Progress,
  {name, nodes, tools}: Cluster,
  images: readonly string[],
): Promise<void> {
  await progress.step(`load ${images.length} images into the cluster ${name}`, async say => {
    await run(tools.kind, ['load', 'docker-image', '--name', name, '--nodes', nodes.join(','), ...images], {
      onLine: say,
    });
  });
}
