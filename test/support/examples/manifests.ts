import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {repository} from '../../../scripts/core/paths.ts';
import {kubevirtSources} from '../../../scripts/toolchain/virtctl.ts';

/** The parts of any object of Kubernetes that we look at. */
export interface AnyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly annotations?: Readonly<Record<string, string>>};
  readonly spec?: object;
}

/** One of KubeVirt's example manifests, as KubeVirt publishes it. */
export interface Example {
  /** As `vm-cirros.yaml`. */
  readonly file: string;
  readonly text: string;
  readonly objects: readonly AnyObject[];
}

/** Every manifest in the folder, by name. */
export const examplesIn = async (folder: string): Promise<readonly Example[]> => {
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml')).toSorted();
  return Promise.all(
    files.map(async file => {
      const text = await readFile(join(folder, file), 'utf8');
      return {file, text, objects: objectsIn(text)};
    }),
  );
};

const objectsIn = (text: string): readonly AnyObject[] =>
  parseAllDocuments(text)
    .map(document => document.toJS() as AnyObject | null)
    .filter(object => object !== null);

/** Where the manifests of the pinned version lie: they come with its Go module and are no part of this repository. */
export const pinnedExampleFolder = async (): Promise<string> => join(await kubevirtSources(), 'examples');

/** Where those of a later revision lie, for who has them. */
export const laterExampleFolder: string = join(repository, '../shared/kubevirt/examples');
