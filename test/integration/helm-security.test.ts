/** What the chart renders: rights, privileges and the network, each against a literal list. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from '@jest/globals';
import {parseAllDocuments} from 'yaml';
import {repository} from '../../scripts/core/paths.ts';
import {chart, helmAlone, type Rendered} from '../support/chart.ts';
import {rightsOf, rightsTable, tooMuch} from '../support/rights.ts';

const render = async (...args: string[]): Promise<readonly Rendered[]> => {
  const text = await helmAlone('template', 'wherry', chart, '--namespace', 'wherry', ...args);
  return parseAllDocuments(text)
    .map(one => one.toJS() as Rendered | null)
    .filter(one => one !== null);
};

interface PodTemplate {
  readonly spec: {
    readonly hostPID?: boolean;
    readonly containers: readonly (Record<string, unknown> & {readonly command?: readonly string[]})[];
    readonly volumes?: readonly object[];
    readonly securityContext?: object;
  };
}

/** A workload or a policy: each is asked for what it has. */
interface Part extends Rendered {
  readonly spec: {readonly template: PodTemplate} & Readonly<Record<string, unknown>>;
}

let objects: readonly Rendered[];
const find = (kind: string, name: string, within: readonly Rendered[] = objects): Part => {
  const found = within.find(one => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`the chart renders no ${kind} ${name}`);
  return found as Part;
};

const daemon = (): PodTemplate['spec'] => find('DaemonSet', 'wherry-node-daemon').spec.template.spec;
const tcp = (...ports: number[]): object[] => ports.map(port => ({protocol: 'TCP', port}));

beforeAll(async () => {
  objects = await render();
});

describe('rights', () => {
  const modes = ['Keep', 'Refuse'].map(mode => ['--set', `uninstall.virtualMachines=${mode}`]);

  test.each(modes)('no account has the key to another’s (%s %s)', async (...args) => {
    const rights = rightsOf(await render(...args));
    expect(rights.length).toBeGreaterThan(15);
    expect(rights.filter(({rule}) => tooMuch(rule) !== undefined)).toEqual([]);
  });

  test('no account but the chart’s own is given any', () => {
    const bindings = objects.filter(({kind}) => kind.endsWith('RoleBinding')) as unknown as {subjects: object[]}[];
    const subjects = bindings.flatMap(binding => binding.subjects).map(subject => Object.values(subject).join(' '));
    const names = ['wherry-node-daemon', 'wherry-operator', 'wherry-test', 'wherry-uninstall'];
    expect(new Set(subjects)).toEqual(new Set(names.map(name => `ServiceAccount ${name} wherry`)));
  });

  test('the guide lists them all, as they are', async () => {
    const guide = await readFile(join(repository, 'docs/guide/security.md'), 'utf8');
    const own = rightsOf(objects).filter(({who}) => who.startsWith('wherry-'));
    expect(guide).toContain(rightsTable(own));
  });
});

describe('the node-daemon', () => {
  test('keeps these capabilities, and gives up the others before its first line', () => {
    expect(daemon().containers.map(({command}) => command)).toEqual([
      [
        '/usr/bin/setpriv',
        '--no-new-privs',
        '--inh-caps=-all',
        '--bounding-set=-all,+dac_override,+net_admin,+net_bind_service,+sys_admin,+sys_ptrace',
        '--',
        '/usr/bin/node',
        '/app/main.js',
      ],
    ]);
  });

  test('is privileged, and writes to nothing', () => {
    expect(daemon().containers.map(({securityContext}) => securityContext)).toEqual([
      {privileged: true, readOnlyRootFilesystem: true},
    ]);
  });

  test('shares the processes of the host and nothing else with it', () => {
    const {hostPID, ...rest} = daemon();
    expect(hostPID).toBe(true);
    expect(Object.keys(rest).filter(key => key.startsWith('host'))).toEqual([]);
  });

  test('has these mounts, none to write to', () => {
    expect(daemon().volumes).toEqual([
      {name: 'config', configMap: {name: 'wherry-config'}},
      {name: 'pods', hostPath: {path: '/var/lib/kubelet/pods', type: 'Directory'}},
    ]);
    expect(daemon().containers[0]?.['volumeMounts']).toEqual([
      {name: 'config', mountPath: '/etc/wherry', readOnly: true},
      {name: 'pods', mountPath: '/var/lib/kubelet/pods', readOnly: true, mountPropagation: 'HostToContainer'},
    ]);
  });

  test('the guide gives a reason for every capability and mount', async () => {
    const guide = await readFile(join(repository, 'docs/guide/security.md'), 'utf8');
    const kept =
      /--bounding-set=-all,(\S+)/.exec(daemon().containers[0]?.command?.join(' ') ?? '')?.[1]?.split(',') ?? [];
    expect(kept).toHaveLength(5);
    for (const capability of kept) expect(guide).toContain(`| \`CAP_${capability.slice(1).toUpperCase()}\` | `);
    for (const what of ['privileged', 'hostPID', 'uid 0', '/var/lib/kubelet/pods', '/etc/wherry'])
      expect(guide).toContain(`| \`${what}\` | `);
  });
});

test('the operator and the hooks hold no privilege at all', async () => {
  const refusing = await render('--set', 'uninstall.virtualMachines=Refuse');
  const pods = [
    find('Deployment', 'wherry-operator').spec.template.spec,
    find('Job', 'wherry-uninstall').spec.template.spec,
    find('Job', 'wherry-uninstall', refusing).spec.template.spec,
    (find('Pod', 'wherry-test') as unknown as PodTemplate).spec,
  ];
  for (const pod of pods) {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: {type: 'RuntimeDefault'},
    });
    expect(pod.containers.map(({securityContext}) => securityContext)).toEqual([
      {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: ['ALL']}},
    ]);
    expect(pod.containers[0]?.['resources']).toHaveProperty('requests.memory');
    expect(JSON.stringify(pod)).not.toMatch(/host(PID|IPC|Network|Path)|privileged/);
  }
});

describe('the network policy', () => {
  const everybody = [{ports: [{protocol: 'TCP', port: 8080}]}];
  const dns = {
    ports: [
      {protocol: 'UDP', port: 53},
      {protocol: 'TCP', port: 53},
    ],
  };

  test('lets Wherry’s pods be asked for metrics, and ask the API server and DNS', () => {
    expect(find('NetworkPolicy', 'wherry').spec).toEqual({
      podSelector: {
        matchLabels: {'app.kubernetes.io/name': 'wherry'},
        matchExpressions: [
          {key: 'app.kubernetes.io/component', operator: 'In', values: ['operator', 'node-daemon', 'hook']},
        ],
      },
      policyTypes: ['Ingress', 'Egress'],
      ingress: everybody,
      egress: [{ports: tcp(443, 6443, 8443, 16_443)}, dns],
    });
  });

  test('takes sources and addresses', async () => {
    const peer = {namespaceSelector: {matchLabels: {name: 'monitoring'}}};
    const values = [
      `networkPolicy.metricsFrom=[${JSON.stringify(peer)}]`,
      'networkPolicy.apiServer.ports=[8443]',
      'networkPolicy.apiServer.cidrs=["10.0.0.10/32"]',
    ];
    const {spec} = find('NetworkPolicy', 'wherry', await render(...values.flatMap(value => ['--set-json', value])));
    expect(spec).toMatchObject({
      ingress: [{...everybody[0], from: [peer]}],
      egress: [{ports: tcp(8443), to: [{ipBlock: {cidr: '10.0.0.10/32'}}]}, dns],
    });
  });

  test('can be left out, and is the only one', async () => {
    const without = await render('--set', 'networkPolicy.enabled=false');
    expect(without.filter(({kind}) => kind === 'NetworkPolicy')).toEqual([]);
    expect(objects.filter(({kind}) => kind === 'NetworkPolicy')).toHaveLength(1);
  });

  test('means every pod of the chart, and none of a guest', () => {
    const labels = [
      find('Deployment', 'wherry-operator').spec.template,
      find('DaemonSet', 'wherry-node-daemon').spec.template,
      find('Job', 'wherry-uninstall').spec.template,
      find('Pod', 'wherry-test'),
    ].map(one => (one as {metadata?: {labels?: Record<string, string>}}).metadata?.labels);
    for (const found of labels)
      expect(found).toMatchObject({
        'app.kubernetes.io/name': 'wherry',
        'app.kubernetes.io/component': expect.stringMatching(/^(operator|node-daemon|hook)$/),
      });
  });
});
