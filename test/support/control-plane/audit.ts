import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

/** One request of a service account, as the API server kept it. */
export interface Audited {
  readonly account: string;
  readonly verb: string;
  /** With the subresource behind a slash. */
  readonly resource: string;
  readonly code: number;
  /** By its rights alone, whatever admission said after that. */
  readonly allowed: boolean;
}

interface AuditEvent {
  readonly user: {readonly username: string};
  readonly verb: string;
  readonly objectRef?: {readonly resource: string; readonly subresource?: string};
  readonly responseStatus?: {readonly code: number};
  readonly annotations?: Readonly<Record<string, string>>;
}

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{level: 'Metadata', userGroups: ['system:serviceaccounts']}, {level: 'None'}],
};

/** Flags by which an API server keeps what service accounts ask of it. */
export async function auditFlags(folder: string): Promise<readonly string[]> {
  const file = join(folder, 'audit-policy.json');
  await writeFile(file, JSON.stringify(policy));
  return [`--audit-policy-file=${file}`, `--audit-log-path=${logOf(folder)}`];
}

/** What service accounts have asked so far. */
export async function audited(folder: string): Promise<readonly Audited[]> {
  const lines = (await readFile(logOf(folder), 'utf8')).split('\n').filter(Boolean);
  return lines.map(line => {
    const {user, verb, objectRef, responseStatus, annotations} = JSON.parse(line) as AuditEvent;
    const {resource = '', subresource} = objectRef ?? {};
    return {
      account: user.username.replace('system:serviceaccount:', ''),
      verb,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      code: responseStatus?.code ?? 0,
      allowed: annotations?.['authorization.k8s.io/decision'] === 'allow',
    };
  });
}

const logOf = (folder: string): string => join(folder, 'audit.log');
