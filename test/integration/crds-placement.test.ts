import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {post} from '../support/control-plane/admin.ts';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, pathOf, send, set} from '../support/crds.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

type Fields = Readonly<Record<string, unknown>>;

/** The fields stand at the top of the spec of an instance, and of the template of a machine. */
const both = (name: string, fields: Fields): readonly (readonly [prefix: string, object])[] =>
  (
    [
      ['spec', anInstance(name)],
      ['spec.template.spec', aMachine(name)],
    ] as const
  ).map(([prefix, object]) => [
    prefix,
    Object.entries(fields).reduce((one, [path, value]) => set(one, `${prefix}.${path}`, value), object),
  ]);

const ports = (...list: readonly object[]): Fields => ({
  'domain.devices.interfaces': [{name: 'default', masquerade: {}, ...(list.length === 0 ? {} : {ports: list})}],
  networks: [{name: 'default', pod: {}}],
});
const ranges: Fields = {
  'domain.devices.interfaces': [
    {name: 'default', masquerade: {}, portRanges: [{protocol: 'TCP', start: 8080, end: 8089}]},
  ],
  networks: [{name: 'default', pod: {}}],
};
const http = {name: 'http', port: 80};
const tcp = (port: number | string, more: object = {}): Fields => ({readinessProbe: {tcpSocket: {port}, ...more}});
const spread = {maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule'};

const taken: readonly (readonly [sentence: string, fields: Fields])[] = [
  [
    'every field that goes to the pod as it is',
    {
      schedulerName: 'my-scheduler',
      priorityClassName: 'system-node-critical',
      serviceAccountName: 'web',
      architecture: 'amd64',
      evictionStrategy: 'External',
      hostname: 'web-0',
      subdomain: 'web',
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['10.0.0.1', 'fd00::1', '1.1.1.1'],
        searches: ['a', 'b.c', 'd', 'e', 'f', 'g'],
        options: [{name: 'ndots', value: '2'}, {name: 'edns0'}],
      },
      topologySpreadConstraints: [
        {...spread, minDomains: 2, nodeAffinityPolicy: 'Ignore', nodeTaintsPolicy: 'Honor'},
        {
          ...spread,
          topologyKey: 'kubernetes.io/hostname',
          labelSelector: {matchLabels: {a: 'b'}},
          matchLabelKeys: ['c'],
        },
      ],
    },
  ],
  [
    'empty values, which ask for nothing',
    {
      schedulerName: '',
      priorityClassName: '',
      serviceAccountName: '',
      architecture: '',
      evictionStrategy: '',
      hostname: '',
      subdomain: '',
      dnsPolicy: '',
      dnsConfig: {},
      topologySpreadConstraints: [],
    },
  ],
  [
    'nulls',
    Object.fromEntries(
      ['schedulerName', 'subdomain', 'dnsPolicy', 'dnsConfig', 'topologySpreadConstraints', 'readinessProbe'].map(
        field => [field, null],
      ),
    ),
  ],
  ['search domains of 256 characters in all', {dnsConfig: {searches: ['a'.repeat(127), 'b'.repeat(128)]}}],
  [
    'probes with all their settings',
    {
      readinessProbe: {
        httpGet: {port: 80, path: '/ready', scheme: 'HTTPS', httpHeaders: [{name: 'X-Probe', value: 'yes'}]},
        initialDelaySeconds: 5,
        periodSeconds: 2,
        timeoutSeconds: 3,
        successThreshold: 2,
        failureThreshold: 4,
      },
      livenessProbe: {tcpSocket: {port: 22}, successThreshold: 1},
    },
  ],
  ['probes whose settings are 0', tcp(80, {periodSeconds: 0, successThreshold: 0, failureThreshold: 0})],
  ['a probe of a port that the interface lists', {...ports(http), ...tcp(80)}],
  ['a probe of a port by its name', {...ports(http), ...tcp('http')}],
  ['a probe of a port in a range', {...ranges, ...tcp(8080)}],
  ['a probe of any port where all are forwarded', {...ports(), ...tcp(8080)}],
];

test.each([...taken])('takes %s', async (_, fields) => {
  for (const [, object] of both('taken', fields)) {
    const collection = pathOf(object).replace(/\/[^/]+$/, '');
    const answer = await post(control.admin, `${collection}?dryRun=All&fieldValidation=Strict`, object);
    expect([answer.status, causes(answer)]).toEqual([201, []]);
  }
});

const refused: readonly (readonly [sentence: string, fields: Fields, field: string, message: string])[] = [
  ['a subdomain of two labels', {subdomain: 'a.b'}, 'subdomain', 'should match'],
  ['a host name that is none', {hostname: 'Web_1'}, 'hostname', 'should match'],
  ['a host name of 64 characters', {hostname: 'a'.repeat(64)}, 'hostname', 'may not be more than 63'],
  ['a policy that Kubernetes does not know', {dnsPolicy: 'Cluster'}, 'dnsPolicy', 'Unsupported value: "Cluster"'],
  ['the policy None without a name server', {dnsPolicy: 'None'}, 'dnsConfig', 'at least one name server'],
  [
    'the policy None with an empty list',
    {dnsPolicy: 'None', dnsConfig: {nameservers: []}},
    'dnsConfig',
    'at least one',
  ],
  [
    'four name servers',
    {dnsConfig: {nameservers: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']}},
    'dnsConfig.nameservers',
    'must have at most 3 items',
  ],
  [
    'a name server by its name',
    {dnsConfig: {nameservers: ['dns']}},
    'dnsConfig.nameservers[0]',
    'must be an IP address',
  ],
  [
    'seven search domains',
    {dnsConfig: {searches: ['a', 'b', 'c', 'd', 'e', 'f', 'g']}},
    'dnsConfig.searches',
    'must have at most 6 items',
  ],
  [
    'search domains of 257 characters in all',
    {dnsConfig: {searches: ['a'.repeat(128), 'b'.repeat(128)]}},
    'dnsConfig.searches',
    'must have at most 256 characters in all',
  ],
  ['a search domain that is none', {dnsConfig: {searches: ['a_b']}}, 'dnsConfig.searches[0]', 'should match'],
  ['an option without a name', {dnsConfig: {options: [{name: ''}]}}, 'dnsConfig.options[0].name', 'at least 1 char'],
  ['another architecture', {architecture: 'arm64'}, 'architecture', 'architecture is not supported but for amd64'],
  [
    'an eviction that moves the guest',
    {evictionStrategy: 'LiveMigrateIfPossible'},
    'evictionStrategy',
    'evictionStrategy LiveMigrate and LiveMigrateIfPossible are not supported: use None or External',
  ],
  ['an eviction strategy that is none', {evictionStrategy: 'Sometimes'}, 'evictionStrategy', 'Unsupported value'],
  ['a name of a class that no class can have', {priorityClassName: 'High!'}, 'priorityClassName', 'should match'],
  [
    'a spread without a skew',
    {topologySpreadConstraints: [{...spread, maxSkew: 0}]},
    'topologySpreadConstraints[0].maxSkew',
    'greater than or equal to 1',
  ],
  [
    'a least number of places that is only preferred',
    {topologySpreadConstraints: [{...spread, whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2}]},
    'topologySpreadConstraints[0].minDomains',
    'only with whenUnsatisfiable: DoNotSchedule',
  ],
  [
    'label keys without a selector that they narrow',
    {topologySpreadConstraints: [{...spread, matchLabelKeys: ['a']}]},
    'topologySpreadConstraints[0].matchLabelKeys',
    'needs a labelSelector',
  ],
  ['a probe that asks nothing', {readinessProbe: {periodSeconds: 5}}, 'readinessProbe', 'exactly one of tcpSocket or'],
  [
    'a probe that asks twice',
    {livenessProbe: {tcpSocket: {port: 22}, httpGet: {port: 80}}},
    'livenessProbe',
    'exactly one of tcpSocket or httpGet',
  ],
  [
    'a command as a probe',
    {readinessProbe: {exec: {command: ['true']}}},
    'readinessProbe.exec',
    'readinessProbe.exec is not supported: use tcpSocket or httpGet',
  ],
  [
    'a probe by the guest agent',
    {livenessProbe: {guestAgentPing: {}}},
    'livenessProbe.guestAgentPing',
    'livenessProbe.guestAgentPing is not supported: use tcpSocket or httpGet',
  ],
  [
    'a probe of another host',
    {readinessProbe: {httpGet: {port: 80, host: '10.0.0.1'}}},
    'readinessProbe.httpGet.host',
    'readinessProbe.httpGet.host is not supported: leave it out',
  ],
  ['port 0', tcp(0), 'readinessProbe.tcpSocket.port', 'a number from 1 to 65535'],
  ['a name that no port can have', tcp('80'), 'readinessProbe.tcpSocket.port', 'the name of a port'],
  [
    'a liveness probe that must succeed twice',
    {livenessProbe: {tcpSocket: {port: 22}, successThreshold: 2}},
    'livenessProbe.successThreshold',
    'less than or equal to 1',
  ],
  [
    'a probe without the network of the pod',
    {...tcp(80), 'domain.devices.autoattachPodInterface': false},
    'readinessProbe',
    'only allowed if the network of the pod is attached',
  ],
  [
    'a probe of a port that the interface does not forward',
    {...ports(http), ...tcp(81)},
    'readinessProbe.tcpSocket.port',
    'one of the TCP ports of the interface',
  ],
  ['a probe of a port beside the range', {...ranges, ...tcp(8090)}, 'readinessProbe.tcpSocket.port', 'or portRanges'],
  [
    'a probe of a UDP port',
    {...ports(http, {name: 'dns', port: 53, protocol: 'UDP'}), livenessProbe: {httpGet: {port: 53}}},
    'livenessProbe.httpGet.port',
    'one of the TCP ports of the interface',
  ],
  ['a probe of a named port that there is not', tcp('http'), 'readinessProbe.tcpSocket.port', 'add it to its ports'],
];

describe('refuses', () => {
  test.each([...refused])('%s', async (_, fields, field, message) => {
    for (const [prefix, object] of both('refused', fields)) {
      expect(causes(await send(control, object))).toContainEqual(
        expect.objectContaining({field: `${prefix}.${field}`, message: expect.stringContaining(message)}),
      );
    }
  });
});
