/** `npm run demo`: from a clean clone to a Debian guest that serves a page, on a kind cluster. */
import {spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {join} from 'node:path';
import {main} from './core/main.ts';
import type {Progress} from './core/progress.ts';
import {withoutQueries} from './demo/console-text.ts';
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

/**
 * Follows the boot in the pod's log until the guest greets, and then shows the login prompt at the console: a log holds
 * whole lines only, and the prompt is none.
 */
const followBoot = async (deployment: Deployment, pod: string): Promise<void> => {
  print(`\n$ kubectl logs -f ${pod}`);
  await shown(deployment, `logs -f ${pod}`, /^Debian GNU\/Linux \d+ debian/m);
  print(`\n$ kubectl attach -it ${pod}      # and the return key`);
  await shown(deployment, `attach -it ${pod}`, /^debian login:/m, '\r');
  print('');
};

/** Shows what a kubectl command prints at a terminal until the pattern does, and ends the command. */
const shown = async (deployment: Deployment, args: string, until: RegExp, typed = ''): Promise<void> => {
  const child = spawn('script', ['-qfec', `${join(deployment.programs, 'kubectl')} ${args}`, '/dev/null'], {
    env: {...process.env, KUBECONFIG: deployment.kubeconfig},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => child.kill(), bootTimeoutMs);
  child.stdin.write(typed);
  let text = '';
  try {
    for await (const chunk of child.stdout) {
      const plain = withoutQueries(String(chunk));
      process.stdout.write(plain);
      text = `${text}${plain}`.slice(-8192);
      if (until.test(text)) return;
    }
    throw new Error(`kubectl ${args} ended, or ${bootTimeoutMs / 60_000} minutes passed, without ${until}`);
  } finally {
    clearTimeout(timer);
    child.kill();
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
