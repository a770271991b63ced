import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseAllDocuments} from 'yaml';
import {type AdminAccess, apply, get} from './admin.ts';

interface Crd {
  kind: string;
  metadata: {name: string};
  status?: {conditions?: {type: string; status: string; message?: string}[]};
}

const crdPath = (crd: Crd): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;

/**
 * Installs the CRDs in files and folders, and waits until each is served.
 * @throws when the server refuses one; the error carries its reason.
 */
export async function installCrds(admin: AdminAccess, paths: readonly string[]): Promise<void> {
  const crds = (await Promise.all(paths.map(read))).flat();
  for (const crd of crds) {
    const answer = await apply(admin, crdPath(crd), crd);
    if (answer.status >= 300) throw new Error(`${crd.metadata.name} was refused: ${JSON.stringify(answer.body)}`);
  }
  await Promise.all(crds.map(crd => established(admin, crd)));
}

async function read(path: string): Promise<Crd[]> {
  if ((await stat(path)).isDirectory()) {
    const files = (await readdir(path)).filter(name => /\.ya?ml$/.test(name)).toSorted();
    return (await Promise.all(files.map(name => read(join(path, name))))).flat();
  }
  const documents = parseAllDocuments(await readFile(path, 'utf8')).map(document => document.toJS() as Crd | null);
  return documents.filter(document => document?.kind === 'CustomResourceDefinition') as Crd[];
}

async function established(admin: AdminAccess, crd: Crd): Promise<void> {
  let conditions: NonNullable<Crd['status']>['conditions'];
  for (let tries = 0; tries < 200; tries++) {
    const {body} = await get(admin, crdPath(crd));
    conditions = (body as Crd).status?.conditions;
    if (conditions?.some(({type, status}) => type === 'Established' && status === 'True')) return;
    await sleep(50);
  }
  throw new Error(`${crd.metadata.name} was not established within 10 s: ${JSON.stringify(conditions)}`);
}
