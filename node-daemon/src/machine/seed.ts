import {type CloudInit, cloudInitSecretPath, type IsoEntry} from '@wherry/api';

const inline = (text: string): IsoEntry['from'] => ({base64: Buffer.from(text).toString('base64')});

const secretFiles = (folder: string, ...keys: readonly string[]): IsoEntry['from'] => ({
  files: keys.map(key => `${folder}/${key}`),
  optional: false,
});

/** Secrets may use either spelling of the key, as in KubeVirt. */
const userData = (volume: string, source: CloudInit): IsoEntry['from'] => {
  if (source.userDataBase64 !== undefined) return {base64: source.userDataBase64};
  if (source.secretRef !== undefined) return secretFiles(cloudInitSecretPath(volume, 'user'), 'userdata', 'userData');
  // cloud-init takes a seed without user-data for no seed at all.
  return inline(source.userData ?? '');
};

const networkConfig = (volume: string, source: CloudInit): IsoEntry['from'] | undefined => {
  if (source.networkData !== undefined) return inline(source.networkData);
  if (source.networkDataBase64 !== undefined) return {base64: source.networkDataBase64};
  if (source.networkDataSecretRef !== undefined)
    return secretFiles(cloudInitSecretPath(volume, 'network'), 'networkdata', 'networkData');
  return undefined;
};

/** By what a guest knows itself. */
export interface SeedIdentity {
  readonly uuid: string;
  readonly hostname: string;
}

/** Where the two kinds of seed have their files, and how they name a guest in them. */
const layouts = {
  noCloud: {
    metaData: 'meta-data',
    userData: 'user-data',
    network: 'network-config',
    identity: ({uuid, hostname}: SeedIdentity) => ({'instance-id': uuid, 'local-hostname': hostname}),
  },
  configDrive: {
    metaData: 'openstack/latest/meta_data.json',
    userData: 'openstack/latest/user_data',
    network: 'openstack/latest/network_data.json',
    identity: ({uuid, hostname}: SeedIdentity) => ({instance_id: uuid, local_hostname: hostname, hostname, uuid}),
  },
} as const;

/**
 * The files of a seed. The instance's id is the machine's UUID: the same at each start of one VM, so that cloud-init does
 * its first-boot work once per machine and not at each start from a lasting disk.
 */
export const seedEntries = (
  volume: string,
  source: CloudInit,
  identity: SeedIdentity,
  kind: keyof typeof layouts = 'noCloud',
): readonly IsoEntry[] => {
  const layout = layouts[kind];
  const network = networkConfig(volume, source);
  return [
    {name: layout.metaData, from: inline(`${JSON.stringify(layout.identity(identity))}\n`)},
    {name: layout.userData, from: userData(volume, source)},
    ...(network === undefined ? [] : [{name: layout.network, from: network}]),
  ];
};
