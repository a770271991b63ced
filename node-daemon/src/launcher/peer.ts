/** Who may be taken for a launcher. */
import {readFileSync} from 'node:fs';
import {PodLayout} from '@wherry/api';
import type {PeerCredentials} from '@wherry/native';

/** /proc/<pid>/status lists the process's number in each of its PID namespaces, the innermost last. */
const isNamespaceInit = (pid: number): boolean => /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

/**
 * What is wrong with the process behind a launcher's socket; undefined when it is what it should be. That it is dead shall
 * mean that its whole pod is dead, and only PID 1 of a PID namespace takes all others along.
 */
export const peerProblem = ({pid, uid}: PeerCredentials): string | undefined => {
  if (uid !== PodLayout.user) return `it is served by uid ${uid}, not ${PodLayout.user}`;
  return isNamespaceInit(pid) ? undefined : `it is served by process ${pid}, which is not its pod's PID 1`;
};
