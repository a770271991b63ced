import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';

/** The manifest of the demo and of the user guide. Its image is loaded into the cluster under the name that stands there. */
export const debianManifest: string = join(import.meta.dirname, '../../docs/guide/examples/debian.yaml');

/** The image name that the manifest uses. */
export const debianImage = 'wherry/guest-debian:13';

/** The demo's objects: a VirtualMachine and a Service, both named `debian`. */
export const debianObjects = (): readonly object[] =>
  parseAllDocuments(readFileSync(debianManifest, 'utf8')).map(document => document.toJS() as object);
