import {type CloudInitNoCloud, cloudInitSecretPath, type IsoEntry} from '@wherry/api';

const inline = (text: string): IsoEntry['from'] => ({base64: Buffer.from(text).toString('base64')});

const secretFiles = (folder: string, ...keys: readonly string[]): IsoEntry['from'] => ({
  files: keys.map(key => `${folder}/${key}`),
  optional: false,
});

/** Secrets may use either spelling of the key, as in KubeVirt. */
const userData = (volume: string, source: CloudInitNoCloud): IsoEntry['from'] => {
  if (source.userDataBase64 !== undefined) return {base64: source.userDataBase64};
  if (source.secretRef !== undefined) return secretFiles(cloudInitSecretPath(volume, 'user'), 'userdata', 'userData');
  // cloud-init takes a seed without user-data for no seed at all.
  return inline(source.userData ?? '');
};

const networkConfig = (volume: string, source: CloudInitNoCloud): IsoEntry['from'] | undefined => {
  if (source.networkData !== undefined) return inline(source.networkData);
  if (source.networkDataBase64 !== undefined) return {base64: source.networkDataBase64};
  if (source.networkDataSecretRef !== undefined)
    return secretFiles(cloudInitSecretPath(volume, 'network'), 'networkdata', 'networkData');
  return undefined;
};

/**
 * The files of a NoCloud seed. The instance-id is the machine's UUID: the same at each start of one VM, so that
 * cloud-init does its first-boot work once per machine and not at each start from a lasting disk.
 */
export const seedEntries = (
  volume: string,
  source: CloudInitNoCloud,
  identity: {readonly uuid: string; readonly hostname: string},
): readonly IsoEntry[] => {
  const metaData = JSON.stringify({'instance-id': identity.uuid, 'local-hostname': identity.hostname});
  const network = networkConfig(volume, source);
  return [
    {name: 'meta-data', from: inline(`${metaData}\n`)},
    {name: 'user-data', from: userData(volume, source)},
    ...(network === undefined ? [] : [{name: 'network-config', from: network}]),
  ];
};
