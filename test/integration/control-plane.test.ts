import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../scripts/core/command.ts';
import {type ControlPlane, startControlPlane} from '../support/control-plane.ts';
import {apply, get} from '../support/control-plane/admin.ts';

let folder: string;
let plane: ControlPlane;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-crds-'));
  await writeFile(join(folder, 'boat.yaml'), JSON.stringify(boats));
  plane = await startControlPlane({crds: [folder]});
}, 60_000);

afterAll(async () => {
  await plane?.stop();
  await rm(folder, {recursive: true, force: true});
});

const kubectl = (...args: string[]): Promise<string> => run(plane.kubectl, ['--kubeconfig', plane.kubeconfig, ...args]);

test('is the Kubernetes version that the tools are pinned to', async () => {
  const version = JSON.parse(await kubectl('version', '-o', 'json')) as Record<string, {gitVersion: string}>;
  expect(version['serverVersion']?.gitVersion).toBe(version['clientVersion']?.gitVersion);
});

test('serves the CRDs that it was started with', async () => {
  expect(await kubectl('get', 'boats')).toBe('');
});

test('lets its admin do everything and a stranger nothing', async () => {
  expect((await get(plane.admin, '/api/v1/nodes')).status).toBe(200);
  expect((await get({...plane.admin, token: 'stranger'}, '/api/v1/nodes')).status).toBe(401);
});

test('issues service account tokens that RBAC holds to their rights', async () => {
  await kubectl('create', 'serviceaccount', 'reader', '--namespace=default');
  const token = await kubectl('create', 'token', 'reader', '--namespace=default');
  expect((await get({...plane.admin, token}, '/api/v1/nodes')).status).toBe(403);
  await kubectl(
    'create',
    'clusterrolebinding',
    'reader',
    '--clusterrole=system:node',
    '--serviceaccount=default:reader',
  );
  expect((await get({...plane.admin, token}, '/api/v1/nodes')).status).toBe(200);
});

test('keeps its objects when the API server is restarted, in a new process at the old address', async () => {
  const before = plane.apiserver.pid;
  const path = '/api/v1/namespaces/default/configmaps/kept';
  const kept = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'kept'}, data: {a: 'b'}};
  expect((await apply(plane.admin, path, kept)).status).toBe(201);
  await plane.apiserver.restart();
  expect(plane.apiserver.pid).not.toBe(before);
  expect((await get(plane.admin, path)).body).toMatchObject({data: {a: 'b'}});
}, 30_000);

test('refuses connections while its API server is stopped', async () => {
  await plane.apiserver.stop();
  expect(plane.apiserver.pid).toBeUndefined();
  await expect(get(plane.admin, '/readyz')).rejects.toThrow('ECONNREFUSED');
  await plane.apiserver.start();
  expect((await get(plane.admin, '/readyz')).status).toBe(200);
}, 30_000);

test('says why a CRD was refused', async () => {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, JSON.stringify({...boats, metadata: {name: 'not.its.name'}}));
  await expect(startControlPlane({crds: [file]})).rejects.toThrow(
    /not\.its\.name was refused.*must be spec\.names\.plural/,
  );
}, 60_000);

const boats = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'boats.test.wherry.dev'},
  spec: {
    group: 'test.wherry.dev',
    names: {kind: 'Boat', plural: 'boats'},
    scope: 'Namespaced',
    versions: [{name: 'v1', served: true, storage: true, schema: {openAPIV3Schema: {type: 'object'}}}],
  },
};
