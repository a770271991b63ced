import {shortHash} from './identity.ts';

/** Longest label value, and longest host name, in characters. */
const LABEL_LENGTH = 63;
const SUFFIX_LENGTH = 10;

const trimEnd = (name: string): string => name.replace(/[-._]+$/, '');

/**
 * `virt-launcher-<instance>-<suffix>`, at most 63 characters, one DNS label. The suffix comes from the instance's uid: a
 * second pod for one run has the same name, so it cannot be made.
 */
export const podNameOf = (instanceName: string, instanceUid: string): string => {
  const prefix = `virt-launcher-${instanceName.replaceAll('.', '-')}`.slice(0, LABEL_LENGTH - SUFFIX_LENGTH - 1);
  return `${trimEnd(prefix)}-${shortHash(instanceUid, SUFFIX_LENGTH)}`;
};

/** An object's name as a label value: itself where it fits, else its beginning and a hash of the whole. */
export const labelValueOf = (name: string): string =>
  name.length <= LABEL_LENGTH
    ? name
    : `${trimEnd(name.slice(0, LABEL_LENGTH - SUFFIX_LENGTH - 1))}-${shortHash(name, SUFFIX_LENGTH)}`;

/** The guest's host name: as the spec says, else the first label of the object's name, cut to a DNS label. */
export const hostnameOf = (instanceName: string, specHostname = ''): string =>
  specHostname === '' ? trimEnd(instanceName.split('.')[0]!.slice(0, LABEL_LENGTH)) : specHostname;
