import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, send, set} from '../support/crds.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

/** What is changed in a valid object, as path and value, and who is blamed for it in which words. */
interface Refusal {
  readonly sentence: string;
  readonly change: readonly (readonly [path: string, value: unknown])[];
  readonly field: string;
  readonly message: string;
}

const devices = 'spec.domain.devices';
const pod = {name: 'default', pod: {}};
const nic = {name: 'default', masquerade: {}};

const withNic = (extra: object, source: object = {}): Refusal['change'] => [
  [`${devices}.interfaces`, [{...nic, ...extra}]],
  ['spec.networks', [{name: 'default', pod: source}]],
];

const network: readonly Refusal[] = [
  {
    sentence: 'an interface without a network',
    change: [[`${devices}.interfaces`, [nic]]],
    field: `${devices}.interfaces`,
    message: 'each interface needs a network of the same name',
  },
  {
    sentence: 'a network without an interface',
    change: [['spec.networks', [pod]]],
    field: 'spec.networks',
    message: 'each network needs an interface of the same name',
  },
  {
    sentence: 'two networks of the pod',
    change: [
      [`${devices}.interfaces`, [nic, {...nic, name: 'second'}]],
      ['spec.networks', [pod, {name: 'second', pod: {}}]],
    ],
    field: 'spec.networks',
    message: 'at most one network may be the network of the pod',
  },
  {
    sentence: 'an interface without a binding',
    change: [
      [`${devices}.interfaces`, [{name: 'default'}]],
      ['spec.networks', [pod]],
    ],
    field: `${devices}.interfaces[0]`,
    message: 'masquerade: {} is the one that is supported',
  },
  {
    sentence: 'a network without a source',
    change: [
      [`${devices}.interfaces`, [nic]],
      ['spec.networks', [{name: 'default'}]],
    ],
    field: 'spec.networks[0]',
    message: 'pod: {} is the one that is supported',
  },
  {
    sentence: 'a name of an interface that no tool could print',
    change: [
      [`${devices}.interfaces`, [{...nic, name: 'eth 0'}]],
      ['spec.networks', [{name: 'eth 0', pod: {}}]],
    ],
    field: `${devices}.interfaces[0].name`,
    message: 'must be letters, digits, dashes and underscores',
  },
  {
    sentence: 'a MAC address of five pairs',
    change: withNic({macAddress: '02:00:00:00:01'}),
    field: `${devices}.interfaces[0].macAddress`,
    message: 'must be six pairs of hexadecimal digits',
  },
  {
    sentence: 'a group address as MAC address',
    change: withNic({macAddress: '01:00:5e:00:00:01'}),
    field: `${devices}.interfaces[0].macAddress`,
    message: 'the second digit must be even',
  },
  {
    sentence: 'the MAC address of the host side',
    change: withNic({macAddress: '02-00-00-00-00-00'}),
    field: `${devices}.interfaces[0].macAddress`,
    message: 'reserved for the host side',
  },
  {
    sentence: 'port 0',
    change: withNic({ports: [{port: 0}]}),
    field: `${devices}.interfaces[0].ports[0].port`,
    message: 'should be greater than or equal to 1',
  },
  {
    sentence: 'port 65536',
    change: withNic({ports: [{port: 65_536}]}),
    field: `${devices}.interfaces[0].ports[0].port`,
    message: 'should be less than or equal to 65535',
  },
  {
    sentence: 'a protocol that is neither TCP nor UDP',
    change: withNic({ports: [{port: 80, protocol: 'SCTP'}]}),
    field: `${devices}.interfaces[0].ports[0].protocol`,
    message: 'supported values: "TCP", "UDP"',
  },
  {
    sentence: 'two ports of one name',
    change: withNic({
      ports: [
        {port: 80, name: 'web'},
        {port: 81, name: 'web'},
      ],
    }),
    field: `${devices}.interfaces[0].ports`,
    message: 'names of ports must be unique',
  },
  {
    sentence: 'a name of a port that a Service could not use',
    change: withNic({ports: [{port: 80, name: '80'}]}),
    field: `${devices}.interfaces[0].ports[0].name`,
    message: 'with at least one letter',
  },
];

const cards: readonly Refusal[] = [
  {
    sentence: 'a card that QEMU does not have',
    change: withNic({model: 'vmxnet3'}),
    field: `${devices}.interfaces[0].model`,
    message: 'supported values: "virtio", "e1000", "e1000e", "igb", "rtl8139", "ne2k_pci", "pcnet"',
  },
  {
    sentence: 'an index above what ACPI can say',
    change: withNic({acpiIndex: 16_384}),
    field: `${devices}.interfaces[0].acpiIndex`,
    message: 'should be less than or equal to 16383',
  },
  {
    sentence: 'one index for two interfaces',
    change: [
      [
        `${devices}.interfaces`,
        [
          {...nic, acpiIndex: 7},
          {...nic, name: 'second', acpiIndex: 7},
        ],
      ],
      ['spec.networks', [pod, {name: 'second', pod: {}}]],
    ],
    field: `${devices}.interfaces`,
    message: 'acpiIndex must be another one for each interface',
  },
  ...['slirp', 'macvtap', 'passt'].map(binding => ({
    sentence: `the binding ${binding}, which KubeVirt has given up`,
    change: withNic({[binding]: {}}),
    field: `${devices}.interfaces[0].${binding}`,
    message: `domain.devices.interfaces[].${binding} is not supported: use masquerade: {}: KubeVirt gave this binding up in version 1.3`,
  })),
];

const boot: readonly Refusal[] = [
  {
    sentence: 'a boot order of 0, as KubeVirt does',
    change: withNic({bootOrder: 0}),
    field: `${devices}.interfaces[0].bootOrder`,
    message: 'should be greater than or equal to 1',
  },
  {
    sentence: 'one boot order for a disk and an interface',
    change: [
      ...withNic({bootOrder: 1}),
      [`${devices}.disks`, [{name: 'root', disk: {}, bootOrder: 1}]],
      ['spec.volumes', [{name: 'root', emptyDisk: {capacity: '1Gi'}}]],
    ],
    field: `${devices}.interfaces`,
    message: 'each bootOrder may stand at one disk or interface alone',
  },
  {
    sentence: 'to boot through a card that has no boot ROM',
    change: withNic({model: 'igb', bootOrder: 1}),
    field: `${devices}.interfaces[0].bootOrder`,
    message: 'an igb card has no boot ROM: use the model e1000e or virtio',
  },
  {
    sentence: 'a link that is unplugged while the guest runs',
    change: withNic({state: 'absent'}),
    field: `${devices}.interfaces[0].state`,
    message:
      'domain.devices.interfaces[].state: absent is not supported: remove the interface and its network, and restart the machine',
  },
  {
    sentence: 'a link that is neither up nor down',
    change: withNic({state: 'sideways'}),
    field: `${devices}.interfaces[0].state`,
    message: 'must be up or down',
  },
];

const portLists: readonly Refusal[] = [
  {
    sentence: 'one port twice under one protocol',
    change: withNic({
      ports: [
        {port: 80, protocol: 'TCP'},
        {port: 80, protocol: 'TCP', name: 'web'},
      ],
    }),
    field: '',
    message: 'duplicate entries for key [port=80,protocol="TCP"]',
  },
  {
    sentence: 'a range that ends before it starts',
    change: withNic({portRanges: [{protocol: 'TCP', start: 90, end: 80}]}),
    field: `${devices}.interfaces[0].portRanges[0].end`,
    message: 'must not be less than start',
  },
  {
    sentence: 'a range without a protocol',
    change: withNic({portRanges: [{start: 80, end: 90}]}),
    field: `${devices}.interfaces[0].portRanges[0].protocol`,
    message: 'Required value',
  },
  {
    sentence: 'more ranges than KubeVirt takes',
    change: withNic({portRanges: Array.from({length: 11}, () => ({protocol: 'TCP', start: 80, end: 90}))}),
    field: `${devices}.interfaces[0].portRanges`,
    message: 'must have at most 10 items',
  },
];

const dhcp = `${devices}.interfaces[0].dhcpOptions`;
const withDhcp = (dhcpOptions: object): Refusal['change'] => withNic({dhcpOptions});

const dhcpOptions: readonly Refusal[] = [
  {
    sentence: 'a time server by name',
    change: withDhcp({ntpServers: ['10.0.0.1', 'pool.ntp.org']}),
    field: `${dhcp}.ntpServers[1]`,
    message: 'must be an IPv4 address',
  },
  {
    sentence: 'a time server that is known by IPv6',
    change: withDhcp({ntpServers: ['fd00::1']}),
    field: `${dhcp}.ntpServers[0]`,
    message: 'must be an IPv4 address',
  },
  ...[
    [223, 'should be greater than or equal to 224'],
    [255, 'should be less than or equal to 254'],
  ].map(([option, message]) => ({
    sentence: `option ${option}, which is not private`,
    change: withDhcp({privateOptions: [{option, value: 'a'}]}),
    field: `${dhcp}.privateOptions[0].option`,
    message: message as string,
  })),
  {
    sentence: 'a private option without a value',
    change: withDhcp({privateOptions: [{option: 240}]}),
    field: `${dhcp}.privateOptions[0].value`,
    message: 'Required value',
  },
  {
    sentence: 'one private option twice',
    change: withDhcp({
      privateOptions: [
        {option: 240, value: 'a'},
        {option: 240, value: 'b'},
      ],
    }),
    field: '',
    message: 'duplicate entries for key [option=240]',
  },
  {
    sentence: 'more than a small client takes, by one byte that no character is',
    change: withDhcp({
      bootFileName: 'b'.repeat(60),
      tftpServerName: 't'.repeat(60),
      ntpServers: ['10.0.0.1', '10.0.0.2'],
      privateOptions: [{option: 224, value: `${'p'.repeat(55)}é`}],
    }),
    field: dhcp,
    message: 'takes more than 192 bytes of the answer',
  },
];

const cidr = 'spec.networks[0].pod.vmNetworkCIDR';

const addresses: readonly Refusal[] = [
  ...['10.0.2.0', '10.0.2.0/33', 'fd10::/64', 'a guest'].map(vmNetworkCIDR => ({
    sentence: `${vmNetworkCIDR} as the network of a guest`,
    change: withNic({}, {vmNetworkCIDR}),
    field: cidr,
    message: 'must be an IPv4 network, as 10.0.2.0/24',
  })),
  ...['10.0.2.0/31', '0.0.0.0/0'].map(vmNetworkCIDR => ({
    sentence: `${vmNetworkCIDR}, which has no room for a guest or is all there is`,
    change: withNic({}, {vmNetworkCIDR}),
    field: cidr,
    message: 'must have a prefix of 8 to 30 bits',
  })),
  ...['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/24'].map(vmNetworkCIDR => ({
    sentence: `${vmNetworkCIDR}, which no guest could use`,
    change: withNic({}, {vmNetworkCIDR}),
    field: cidr,
    message: 'must not be a loopback, link-local, multicast or broadcast network',
  })),
];

const changed = (object: object, change: Refusal['change'], prefix = ''): object =>
  change.reduce((one, [path, value]) => set(one, `${prefix}${path}`, value), object);

describe.each([
  ['network', network],
  ['cards', cards],
  ['boot and link', boot],
  ['ports', portLists],
  ['DHCP', dhcpOptions],
  ['addresses', addresses],
])('%s', (_, refusals) => {
  test.each([...refusals])('refuses $sentence', async ({change, field, message}) => {
    const answer = await send(control, changed(anInstance('refused'), change));
    expect(answer.status).not.toBe(200);
    if (field === '') {
      expect(JSON.stringify(answer.body).replaceAll('\\"', '"')).toContain(message);
      return;
    }
    expect(causes(answer)).toContainEqual({
      reason: expect.any(String),
      field,
      message: expect.stringContaining(message),
    });
  });
});

test('a machine is told with the path in its template', async () => {
  const template = {
    domain: {memory: {guest: '128Mi'}, devices: {interfaces: [{...nic, dhcpOptions: {ntpServers: ['noon']}}]}},
    networks: [pod],
  };
  expect(causes(await send(control, set(aMachine('refused'), 'spec.template.spec', template)))).toContainEqual(
    expect.objectContaining({field: `spec.template.${dhcp}.ntpServers[0]`}),
  );
});

test('everything that an interface can be is taken', async () => {
  const asked = [
    {model: 'e1000e', acpiIndex: 7, macAddress: '02-1F-e6-00-00-01'},
    {model: 'igb', acpiIndex: 0, state: 'down'},
    {bootOrder: 1, state: 'up'},
    {state: ''},
    {model: 'e1000', ports: [], portRanges: []},
    {
      model: 'rtl8139',
      ports: [
        {port: 53, protocol: 'UDP', name: 'dns'},
        {port: 53, name: 'dns-tcp'},
      ],
      portRanges: [
        {protocol: 'TCP', start: 8000, end: 8000},
        {protocol: 'UDP', start: 1, end: 65_535},
      ],
    },
    {model: 'ne2k_pci', dhcpOptions: {}},
    {model: 'pcnet', dhcpOptions: {ntpServers: [], privateOptions: []}},
    {
      dhcpOptions: {
        bootFileName: 'b'.repeat(60),
        tftpServerName: 't'.repeat(60),
        ntpServers: ['10.0.0.1', '10.0.0.2'],
        privateOptions: [
          {option: 224, value: 'é'.repeat(13)},
          {option: 254, value: 'p'.repeat(28)},
        ],
      },
    },
  ];
  for (const [index, extra] of asked.entries()) {
    const answer = await send(control, changed(anInstance(`taken-${index}`), withNic(extra)));
    expect([extra, causes(answer), answer.status]).toEqual([extra, [], 201]);
  }
  for (const [index, vmNetworkCIDR] of ['', '192.168.7.0/30', '10.0.0.0/8', '172.20.1.2/16'].entries()) {
    const answer = await send(control, changed(anInstance(`network-${index}`), withNic({}, {vmNetworkCIDR})));
    expect([vmNetworkCIDR, causes(answer), answer.status]).toEqual([vmNetworkCIDR, [], 201]);
  }
});
