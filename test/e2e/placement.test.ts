import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster, type Vmi} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
let first: Vmi;

/** One guest shows it all: names, the resolver, probes. */
beforeAll(async () => {
  cluster = await Cluster.open('placement');
  await cluster.kubectl.apply(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name: 'peers'},
      spec: {clusterIP: 'None', selector: {app: 'probed'}, ports: [{name: 'http', port: 80}]},
    },
    {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'guests'}},
    tinyVm('probed', cluster.env.images.tiny, {
      labels: {app: 'probed'},
      ports: [
        {name: 'http', port: 80},
        {name: 'ssh', port: 22},
      ],
      spec: {
        hostname: 'web-0',
        subdomain: 'peers',
        dnsPolicy: 'ClusterFirst',
        dnsConfig: {searches: ['wherry.test']},
        architecture: 'amd64',
        schedulerName: 'default-scheduler',
        priorityClassName: 'system-cluster-critical',
        serviceAccountName: 'guests',
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: {matchLabels: {app: 'probed'}},
          },
        ],
        readinessProbe: {
          httpGet: {port: 'http', path: '/cgi-bin/info'},
          periodSeconds: 1,
          timeoutSeconds: 5,
          failureThreshold: 2,
        },
        // Long enough for the slowest boot by emulation; from then on it notices within seconds.
        livenessProbe: {tcpSocket: {port: 'ssh'}, initialDelaySeconds: 20, periodSeconds: 1, failureThreshold: 2},
      },
    }),
  );
  await cluster.kubectl.run('wait', 'vm/probed', '--for=condition=Ready', '--timeout=120s');
  first = await cluster.vmi('probed');
});
afterAll(() => cluster?.close());

/** Types at the login of the guest. */
const inGuest = async (command: string): Promise<string> => {
  const console = await cluster.console('probed');
  try {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    return await console.shell(command);
  } finally {
    console.close();
  }
};

const ready = (vmi: Vmi) => vmi.status?.conditions?.find(({type}) => type === 'Ready');

test('a guest with a readiness probe is Ready when it answers, not when it is started', async () => {
  expect(ready(first)?.status).toBe('True');
  // Nobody answered at the start of the guest, so its pod, which is ready when the probe says so, cannot have been ready.
  const {conditions = []} = (await cluster.kubectl.json<{status: {conditions?: object[]}}>('get', 'vmi', 'probed'))
    .status;
  const {lastTransitionTime = ''} = conditions.find(one => (one as {type: string}).type === 'Ready') as {
    lastTransitionTime?: string;
  };
  const {uptime} = JSON.parse(await inGuest('wget -qO- http://127.0.0.1/cgi-bin/info')) as {uptime: number};
  const started = Date.now() - uptime * 1000;
  expect(Date.parse(lastTransitionTime)).toBeGreaterThan(started);
});

test('the pod has what Kubernetes defines', async () => {
  const {name} = (await cluster.pod('probed')).metadata;
  expect(await cluster.kubectl.json<object>('get', 'pod', name)).toMatchObject({
    spec: {
      hostname: 'web-0',
      subdomain: 'peers',
      priorityClassName: 'system-cluster-critical',
      serviceAccountName: 'guests',
      automountServiceAccountToken: false,
      topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway'}],
      nodeSelector: {'kubernetes.io/arch': 'amd64'},
    },
  });
});

test('host name and subdomain lead to the guest, by the search domains that it got by DHCP', async () => {
  const resolver = await inGuest('cat /etc/resolv.conf');
  expect(resolver).toMatch(/^search .*svc\.cluster\.local.* wherry\.test/m);
  expect(JSON.parse(await inGuest('wget -qO- http://web-0.peers/cgi-bin/info'))).toMatchObject({hostname: 'web-0'});
});

test('a guest that stops to answer its readiness probe gets no traffic, and runs on', async () => {
  await inGuest('killall httpd');
  const vmi = await eventually(async () => {
    const now = await cluster.vmi('probed');
    expect(ready(now)).toMatchObject({status: 'False', reason: 'ContainersNotReady'});
    return now;
  });
  expect([vmi.metadata.uid, vmi.status?.phase]).toEqual([first.metadata.uid, 'Running']);
});

test('a guest that stops to answer its liveness probe is shut down, and its machine runs again', async () => {
  await inGuest('killall dropbear');
  await eventually(async () => {
    const now = await cluster.vmi('probed');
    expect(now.metadata.uid).not.toBe(first.metadata.uid);
    expect(now.status?.phase).toBe('Running');
  });
  const events = await cluster.kubectl.run(
    'get',
    'events',
    '--field-selector=reason=Stopped',
    '-o',
    'jsonpath={.items[*].message}',
  );
  // By its power button: it had its grace period.
  expect(events).toContain('the guest shut down because its pod was stopped: its liveness probe failed');
});
