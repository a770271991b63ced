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

/** How many runs of the machine are followed: an engine may crash, but not each time. */
const mostRuns = 3;

const manifest = 'docs/guide/examples/debian.yaml';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Shows a kubectl command as a user would type it, and its output. */
const show = async (deployment: Deployment, ...args: string[]): Promise<void> => {
  print(`\n$ kubectl ${args.join(' ')}`);
  print(await deployment.kubectl(...args));
};

/** The machine's pod that runs now, once there is another than those. */
const podBeside = async (deployment: Deployment, those: ReadonlySet<string>): Promise<string> => {
  const args = 'get pod -l vm.kubevirt.io/name=debian --field-selector=status.phase=Running -o name'.split(' ');
  for (const deadline = Date.now() + bootTimeoutMs; Date.now() < deadline; await sleep(1000)) {
    const pods = (await deployment.kubectl(...args)).split('\n');
    const pod = pods.find(name => name !== '' && !those.has(name));
    if (pod !== undefined) return pod;
  }
  throw new Error('the machine debian has no pod that runs: kubectl describe vm debian');
};

/**
 * Follows the boot until a guest has come to its login.
 * @returns its pod. A guest whose engine crashes is started again, as any is: QEMU has been seen to abort while it emulated two
 * processors that set up their devices (`iotlb_to_section`).
 */
const followToLogin = async (deployment: Deployment): Promise<string> => {
  const ended = new Set<string>();
  while (ended.size < mostRuns) {
    const pod = await podBeside(deployment, ended);
    if (await followBoot(deployment, pod)) return pod;
    print(`\n${pod} has ended before its guest had booted. Its machine starts again by itself.`);
    ended.add(pod);
  }
  throw new Error(`the guest ended ${mostRuns} times before it had booted: kubectl describe vm debian`);
};

/**
 * Follows the boot in the pod's log until the guest greets, and then shows the login prompt at the console: a log holds
 * whole lines only, and the prompt is none.
 * @returns false where the pod ended before it greeted.
 */
const followBoot = async (deployment: Deployment, pod: string): Promise<boolean> => {
  print(`\n$ kubectl logs -f ${pod}`);
  if (!(await shown(deployment, `logs -f ${pod}`, /^Debian GNU\/Linux \d+ debian/m))) return false;
  print(`\n$ kubectl attach -it ${pod}      # and the return key`);
  if (!(await shown(deployment, `attach -it ${pod}`, /^debian login:/m, '\r')))
    throw new Error(`the console of ${pod} ended before it showed a login prompt`);
  print('');
  return true;
};

/**
 * Shows what a kubectl command prints at a terminal until the pattern does, and ends the command.
 * @returns false where the command ended first.
 * @throws Error when neither came within the time.
 */
const shown = async (deployment: Deployment, args: string, until: RegExp, typed = ''): Promise<boolean> => {
  const child = spawn('script', ['-qfec', `${join(deployment.programs, 'kubectl')} ${args}`, '/dev/null'], {
    env: {...process.env, KUBECONFIG: deployment.kubeconfig},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill();
  }, bootTimeoutMs);
  child.stdin.write(typed);
  let text = '';
  try {
    for await (const chunk of child.stdout) {
      const plain = withoutQueries(String(chunk));
      process.stdout.write(plain);
      text = `${text}${plain}`.slice(-8192);
      if (until.test(text)) return true;
    }
    if (late) throw new Error(`kubectl ${args} did not show ${until} within ${bootTimeoutMs / 60_000} minutes`);
    return false;
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
  const pod = await followToLogin(deployment);
  await firstPage(deployment, say);
  await show(deployment, 'get', 'vm,vmi', '-o', 'wide');
  print(nextSteps({pod, kubeconfig: deployment.kubeconfig, programs: deployment.programs, manifest}));
});
