import {generateKeyPairSync, randomBytes} from 'node:crypto';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {tools} from '../../scripts/toolchain/tools.ts';
import {progress} from '../../scripts/core/progress.ts';
import {type Audited, audited, auditFlags} from './control-plane/audit.ts';
import {installCrds} from './control-plane/crds.ts';
import {Daemon, until} from './control-plane/daemon.ts';
import {type AdminAccess, get} from './control-plane/admin.ts';

export interface ControlPlaneOptions {
  /** Files and folders of CRD YAML, installed and established before the promise resolves. */
  crds?: readonly string[];
}

/**
 * A real etcd and kube-apiserver of the pinned version on loopback, with RBAC, and nothing else: no controller manager,
 * so no garbage collection, no default service accounts and no namespace deletion, and no scheduler or kubelet.
 */
export interface ControlPlane {
  /** Path of a kubeconfig file of a cluster admin; its context is `control-plane`. */
  kubeconfig: string;
  url: string;
  admin: AdminAccess;
  apiserver: {
    /** Of the present process. Undefined while it is stopped. */
    readonly pid: number | undefined;
    /** Ends it as a crash would: open connections are reset. Its data stays. */
    stop(): Promise<void>;
    /** Starts it on the same address, and waits until it is ready. */
    start(): Promise<void>;
    restart(): Promise<void>;
  };
  etcd: {
    /** Forgets all versions but the present one: what an API server asks of older ones is answered with 410. */
    compact(): Promise<void>;
  };
  /** What service accounts have asked of the API server, with its answers. */
  audited(): Promise<readonly Audited[]>;
  /** Path of the pinned kubectl. */
  kubectl: string;
  /** Ends both processes and removes their data. */
  stop(): Promise<void>;
}

/**
 * Ready in about five seconds. Every call makes a control plane of its own; share one within a test file.
 * @throws when a process ends before it is ready; the error carries the end of its log.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const programs = await tools(progress());
  const folder = await mkdtemp(join(tmpdir(), 'wherry-control-plane-'));
  const [etcdPort, peerPort, port] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = new Daemon('etcd', programs.etcd, etcdFlags(folder, etcdUrl, `http://127.0.0.1:${peerPort}`), folder);
  const token = randomBytes(16).toString('hex');
  const url = `https://127.0.0.1:${port}`;
  const server = new Daemon(
    'kube-apiserver',
    programs.apiserver,
    await apiserverFlags(folder, etcdUrl, port!, token),
    folder,
  );
  const certificate = join(folder, 'serving/apiserver.crt');

  const start = async (): Promise<void> => {
    server.start();
    await until('the API server is ready', server, async () => {
      const ca = await readFile(certificate, 'utf8');
      return (await get({url, token, ca}, '/readyz')).status === 200;
    });
  };
  const stop = async (): Promise<void> => {
    await Promise.all([server.stop(), etcd.stop()]);
    await rm(folder, {recursive: true, force: true});
  };
  try {
    etcd.start();
    await start();
    const admin = {url, token, ca: await readFile(certificate, 'utf8')};
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigOf(admin), {mode: 0o600});
    await installCrds(admin, options.crds ?? []);
    return {
      kubeconfig,
      url,
      admin,
      apiserver: {
        get pid() {
          return server.pid;
        },
        start,
        stop: () => server.stop(),
        restart: () => server.stop().then(start),
      },
      etcd: {compact: () => compact(etcdUrl)},
      audited: () => audited(folder),
      kubectl: programs.kubectl,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** By etcd's JSON gateway: its own client is a program more. */
async function compact(etcdUrl: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<{header?: {revision?: string}}> => {
    const response = await fetch(`${etcdUrl}/v3/${path}`, {method: 'POST', body: JSON.stringify(body)});
    if (!response.ok) throw new Error(`etcd: ${path}: ${await response.text()}`);
    return (await response.json()) as {header?: {revision?: string}};
  };
  const {header} = await ask('maintenance/status', {});
  await ask('kv/compaction', {revision: header?.revision, physical: true});
}

function etcdFlags(folder: string, clientUrl: string, peerUrl: string): string[] {
  return [
    '--name=test',
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
    '--log-level=warn',
    // Its data does not outlive the test.
    '--unsafe-no-fsync',
  ];
}

async function apiserverFlags(folder: string, etcdUrl: string, port: number, token: string): Promise<string[]> {
  const tokens = join(folder, 'tokens.csv');
  await writeFile(tokens, `${token},admin,admin,"system:masters"\n`, {mode: 0o600});
  const serviceAccountKey = join(folder, 'service-account.key');
  const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
  await writeFile(serviceAccountKey, privateKey.export({type: 'sec1', format: 'pem'}), {mode: 0o600});
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    // It makes itself a self-signed certificate here, which is its own authority.
    `--cert-dir=${join(folder, 'serving')}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${serviceAccountKey}`,
    `--service-account-key-file=${serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    // Nothing here makes the default service account that it wants of every pod.
    '--disable-admission-plugins=ServiceAccount',
    '--endpoint-reconciler-type=none',
    '--shutdown-delay-duration=0s',
    ...(await auditFlags(folder)),
  ];
}

function kubeconfigOf({url, token, ca}: AdminAccess): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {name: 'control-plane', cluster: {server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64')}},
    ],
    users: [{name: 'admin', user: {token}}],
    contexts: [{name: 'control-plane', context: {cluster: 'control-plane', user: 'admin'}}],
    'current-context': 'control-plane',
  });
}

async function freePorts(count: number): Promise<number[]> {
  // All are held until all are known, so that no two are the same.
  const servers = await Promise.all(
    Array.from({length: count}, async () => {
      const server = createServer();
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async server => {
      const address = server.address();
      await new Promise(resolve => server.close(resolve));
      return typeof address === 'object' && address ? address.port : 0;
    }),
  );
}
