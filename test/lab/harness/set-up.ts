/** Everything that the files of the lab share, made before the first of them runs. */
import {debianDisk} from '../../../images/debian-guest/image.ts';
import {staticPrograms} from '../../../images/static-programs.ts';
import {tinyGuest} from '../../../images/tiny/image.ts';
import type {Progress} from '../../../scripts/core/progress.ts';
import {debian12Guest} from './native/debian-12.ts';
import {nodeParts} from './node-image.ts';

export default async function setUp(progress: Progress): Promise<void> {
  await staticPrograms(progress);
  await nodeParts(progress);
  await tinyGuest(progress);
  await debian12Guest(progress);
  await debianDisk(progress);
}
