/**
 * A process that leads and does things, and stops itself when all its hands have read and none has written: a stop from
 * outside may come after a write was let go and before the system call that sends it. Arguments: kubeconfig, lease.
 */
import {Client, fromKubeconfig, LeaseLostError} from '@wherry/kube';
import {Registry} from 'prom-client';
import {act, electionOf, meeting} from './effects.ts';

const [kubeconfig = '', name = ''] = process.argv.slice(2);
const client = new Client({
  kubeConfig: await fromKubeconfig(kubeconfig),
  userAgent: 'leader-process',
  registry: new Registry(),
});
const election = electionOf({client, identity: 'child', lease: {namespace: 'default', name}});
try {
  await election.run(new AbortController().signal, async signal => {
    process.stdout.write('leading\n');
    await act(
      client.guardedBy(() => election.assertLeading()),
      'child',
      signal,
      meeting(5, () => process.kill(process.pid, 'SIGSTOP')),
    );
  });
} catch (error) {
  process.stdout.write(error instanceof LeaseLostError ? 'lost\n' : `${String(error)}\n`);
}
process.exit();
