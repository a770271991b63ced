/** `npm run demo`: from a clean clone to a Debian guest that serves a page, on a kind cluster. */
import {spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {join} from 'node:path';
import {main} from './core/main.ts';
import type {Progress} from './core/progress.ts';
import {kvmVerdicts, sayVerdicts} from './demo/kvm.ts';
import {nextSteps} from './demo/next-steps.ts';
import {type Deployment, deploy} from './deploy.ts';

/** How long Debian with cloud-init may take to its login, and then to its first page, in ms: emulation on two busy cores. */
const bootTimeoutMs = 8 * 60_000;

const manifest = 'docs/guide/examples/debian.yaml';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Shows a kubectl command as a user would type it, and its output. */
const show = async (deployment: Deployment, ...args: string[]): Promise<void> => {
  print(`\n$ kubectl ${args.join(' ')}`);
  print(await deployment.kubectl(...args));
};

/** Follows the serial console until the login prompt stands there. */
const followBoot = async (deployment: Deployment, pod: string): Promise<void> => {
  print(`\n$ kubectl logs -f ${pod}`);
  const child = spawn(join(deployment.programs, 'kubectl'), ['logs', '-f', pod], {
    env: {...process.env, KUBECONFIG: deployment.kubeconfig},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const timer = setTimeout(() => child.kill(), bootTimeoutMs);
  let tail = '';
  try {
    for await (const chunk of child.stdout) {
      process.stdout.write(chunk as Buffer);
      tail = `${tail}${String(chunk)}`.slice(-4096);
      if (tail.includes('debian login:')) return;
    }
    throw new Error(
      `the console of ${pod} showed no login prompt; see kubectl logs ${pod} and kubectl describe vmi debian`,
    );
  } finally {
    clearTimeout(timer);
    child.kill();
    print('');
  }
};

/** Asks for the page through the machine's Service, by way of the API server, until cloud-init has started the web server. */
const firstPage = async (deployment: Deployment, say: Progress): Promise<void> => {
  const path = '/api/v1/namespaces/default/services/debian:http/proxy/';
  await say.step('cloud-init starts the HTTP server in the guest', async () => {
    const deadline = Date.now() + bootTimeoutMs;
    for (;;) {
      try {
        return await deployment.kubectl('get', '--raw', path);
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(2000);
      }
    }
  });
  await show(deployment, 'get', '--raw', path);
};

await main(async say => {
  const deployment = await deploy(say);
  sayVerdicts(say, await kvmVerdicts(deployment));
  await show(deployment, 'apply', '-f', manifest);
  await say.step('the machine starts', () =>
    deployment.kubectl('wait', 'vm/debian', '--for=condition=Ready', '--timeout=3m'),
  );
  const pods = await deployment.kubectl('get', 'pod', '-l', 'vm.kubevirt.io/name=debian', '-o', 'name');
  const pod = pods.split('\n').at(-1) ?? '';
  await followBoot(deployment, pod);
  await firstPage(deployment, say);
  await show(deployment, 'get', 'vm,vmi', '-o', 'wide');
  print(nextSteps({pod, kubeconfig: deployment.kubeconfig, programs: deployment.programs, manifest}));
});
