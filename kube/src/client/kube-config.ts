import {readFile} from 'node:fs/promises';
import {ConfigError} from '../errors.ts';

export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Where an API server is and how to prove who asks. Both functions may read files: they follow rotation. */
export interface KubeConfig {
  /** Without a slash at its end. */
  readonly url: string;
  tls(): Promise<TlsMaterial>;
  /** Headers of every request: the bearer token. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * That of KUBECONFIG where it is set, else of this pod's service account, else of ~/.kube/config.
 * @throws ConfigError when there is none, or it cannot be used.
 */
export const loadKubeConfig = async (env: NodeJS.ProcessEnv = process.env): Promise<KubeConfig> => {
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (host !== undefined && env['KUBECONFIG'] === undefined)
    return inCluster(host, env['KUBERNETES_SERVICE_PORT'] ?? '443');
  return fromKubeconfig(env['KUBECONFIG']);
};

/** With a service account's files: the kubelet renews the token in place, so it is read for every use. */
export const inCluster = (host: string, port: string, folder: string = serviceAccount): KubeConfig => ({
  url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
  tls: async () => ({ca: await readFile(`${folder}/ca.crt`)}),
  headers: async () => ({authorization: `Bearer ${(await readFile(`${folder}/token`, 'utf8')).trim()}`}),
});

/** client-node is loaded only here: it knows kubeconfig files with their exec plugins, and costs 100 MB that a pod need not pay. */
export const fromKubeconfig = async (path?: string): Promise<KubeConfig> => {
  const {KubeConfig} = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    throw new ConfigError(`kubeconfig ${path ?? '~/.kube/config'} cannot be read: check KUBECONFIG`, error);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new ConfigError(`kubeconfig ${path ?? '~/.kube/config'} names no current cluster: set current-context`);
  const options = async (): Promise<Options> => {
    const found: Options = {};
    await config.applyToHTTPSOptions(found);
    return found;
  };
  return {
    url: cluster.server.replace(/\/$/, ''),
    tls: async () => {
      const {ca, cert, key, servername, rejectUnauthorized} = await options();
      return definedOnly({ca, cert, key, servername, rejectUnauthorized});
    },
    headers: async () => {
      const {headers = {}, auth} = await options();
      return auth === undefined
        ? headers
        : {...headers, authorization: `Basic ${Buffer.from(auth).toString('base64')}`};
    },
  };
};

interface Options {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers?: Record<string, string>;
  auth?: string;
}

const definedOnly = (values: {[K in keyof TlsMaterial]: TlsMaterial[K] | undefined}): TlsMaterial =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
