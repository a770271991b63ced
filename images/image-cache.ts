import {join} from 'node:path';
import {cacheFolder} from '../scripts/core/paths.ts';

/** Where what images are made of is kept between builds. */
export const imageCache = (): string => join(cacheFolder(), 'images');
