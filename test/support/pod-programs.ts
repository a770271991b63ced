import {qemuClosure} from '../../images/qemu-closure.ts';
import {staticPrograms} from '../../images/static-programs.ts';
import {tinyGuest} from '../../images/tiny/image.ts';
import {progress} from '../../scripts/core/progress.ts';
import type {PodPrograms} from './fake-node.ts';

/** Built or fetched on first use. */
export const podPrograms = async (): Promise<PodPrograms> => {
  const log = progress();
  const {root} = await qemuClosure(log);
  return {closure: root, ...(await staticPrograms(log)), guest: await tinyGuest(log)};
};
