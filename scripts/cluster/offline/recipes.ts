import {join} from 'node:path';
import {repository} from '../../core/paths.ts';

/** The folder of Dockerfiles and shell scripts that the node image is made with. */
export const recipes: string = join(repository, 'scripts/offline/node-image');
