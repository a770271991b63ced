import {expect, test} from '@jest/globals';
import {machine} from '../../testing/machines.ts';
import {parsedArg} from '../../testing/qemu-args.ts';
import {qemuPlan as planAt} from './plan.ts';

const qemuPlan = (of: ReturnType<typeof machine>) => planAt(of, 0);

const args = (overrides: Parameters<typeof machine>[0] = {}): readonly string[] =>
  qemuPlan(machine(overrides)).engine.args;

/** The values of every occurrence of an option. */
const values = (option: string, list: readonly string[]): readonly string[] =>
  list.flatMap((arg, at) => (arg === option ? [list[at + 1] ?? ''] : []));

/** A device or block node, by its id. */
const json = (option: string, id: string, list: readonly string[] = args()): object => {
  const found = values(option, list)
    .map(parsedArg)
    .find(value => [value['id'], value['node-name']].includes(id));
  return found ?? {missing: `${option} ${id}`};
};

test('the whole command line of a guest is as it is written here', () => {
  expect(qemuPlan(machine({disks: [], interfaces: []}))).toMatchInlineSnapshot(`
{
  "descriptors": [],
  "dhcp": [],
  "engine": {
    "args": [
      "-name",
      "guest=default_guest,debug-threads=on",
      "-nodefaults",
      "-no-user-config",
      "-S",
      "-display",
      "none",
      "-msg",
      "timestamp=on",
      "-L",
      "/usr/share/qemu",
      "-sandbox",
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-action",
      "reboot=reset,shutdown=poweroff,panic=exit-failure",
      "-machine",
      "pc-q35-10.0,memory-backend=ram0,usb=off,vmport=off,smm=off,hpet=off,dump-guest-core=off",
      "-object",
      "{"qom-type":"memory-backend-ram","id":"ram0","size":1073741824}",
      "-m",
      "size=1048576k",
      "-smp",
      "2,sockets=1,cores=2,threads=1",
      "-uuid",
      "5d307ca9-b3ef-828c-8861-06e72d69f223",
      "-smbios",
      "type=1,manufacturer=KubeVirt,product=Wherry,family=KubeVirt",
      "-rtc",
      "base=utc,driftfix=slew",
      "-global",
      "ICH9-LPC.disable_s3=1",
      "-global",
      "ICH9-LPC.disable_s4=1",
      "-accel",
      "tcg,thread=multi,tb-size=64",
      "-cpu",
      "max,-la57",
      "-chardev",
      "socket,id=qmp,fd={fd:qmp}",
      "-mon",
      "chardev=qmp,mode=control",
      "-chardev",
      "socket,id=serial0,fd={fd:serial0}",
      "-serial",
      "chardev:serial0",
      "-device",
      "{"driver":"pcie-root-port","id":"rp0","bus":"pcie.0","chassis":1,"addr":"0x2.0x0","multifunction":true}",
      "-device",
      "{"driver":"pcie-root-port","id":"rp1","bus":"pcie.0","chassis":2,"addr":"0x2.0x1"}",
      "-device",
      "{"driver":"pcie-root-port","id":"rp2","bus":"pcie.0","chassis":3,"addr":"0x2.0x2"}",
      "-device",
      "{"driver":"pcie-root-port","id":"rp3","bus":"pcie.0","chassis":4,"addr":"0x2.0x3"}",
      "-object",
      "{"qom-type":"rng-random","id":"entropy","filename":"/dev/urandom"}",
      "-device",
      "{"driver":"virtio-rng-pci","id":"rng0","rng":"entropy","bus":"pcie.0","addr":"0x1.0x0","disable-legacy":"on","multifunction":true}",
      "-device",
      "{"driver":"virtio-balloon-pci","id":"balloon0","free-page-reporting":true,"bus":"pcie.0","addr":"0x1.0x1","disable-legacy":"on"}",
      "-device",
      "{"driver":"virtio-serial-pci","id":"channels","max_ports":4,"bus":"pcie.0","addr":"0x1.0x2","disable-legacy":"on"}",
      "-chardev",
      "socket,id=agent,path=/run/wherry/agent.sock,server=on,wait=off",
      "-device",
      "{"driver":"virtserialport","id":"agent-port","bus":"channels.0","nr":1,"chardev":"agent","name":"org.qemu.guest_agent.0"}",
      "-device",
      "{"driver":"pvpanic","id":"panic0"}",
    ],
    "kind": "qemu",
    "program": "/usr/bin/qemu-system-x86_64",
  },
  "files": [],
  "graceSeconds": 30,
  "id": "run-1",
}
`);
});

test('the engine waits for cont, has no default devices and may not gain privileges or start processes', () => {
  const list = args();
  expect(list).toEqual(expect.arrayContaining(['-S', '-nodefaults', '-no-user-config']));
  expect(values('-sandbox', list)).toEqual(['on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny']);
});

test('emulation has a bounded translation buffer', () => {
  expect(values('-accel', args())).toEqual(['tcg,thread=multi,tb-size=64']);
  expect(values('-cpu', args())).toEqual(['max,-la57']);
  expect(qemuPlan(machine()).descriptors).toEqual(['tap0', 'dhcp0']);
});

test('KVM comes as a descriptor', () => {
  const list = args({accelerator: 'kvm'});
  expect(values('-accel', list)).toEqual(['kvm,device=/dev/fdset/1']);
  expect(values('-add-fd', list)).toEqual(['fd={fd:kvm},set=1,opaque=kvm']);
  expect(qemuPlan(machine({accelerator: 'kvm'})).descriptors).toEqual(['kvm', 'tap0', 'dhcp0']);
});

test('vhost-net is used where the node offers it', () => {
  const [one] = machine().interfaces;
  const plan = qemuPlan(machine({interfaces: [{...one!, vhost: true}]}));
  expect(plan.descriptors).toEqual(['tap0', 'vhost0', 'dhcp0']);
  expect(json('-netdev', 'net0', plan.engine.args)).toMatchObject({vhost: true, vhostfd: '{fd:vhost0}'});
});

test('every descriptor that the arguments name travels with the plan or is made by the launcher', () => {
  const plan = qemuPlan(machine({accelerator: 'kvm'}));
  const named = plan.engine.args.flatMap(arg => [...arg.matchAll(/\{fd:(?<name>\w+)\}/g)].map(match => match[1]));
  for (const name of named) expect([...plan.descriptors, 'qmp', 'serial0']).toContain(name);
});

test('memory and CPUs are what the guest was given', () => {
  expect(values('-m', args())).toEqual(['size=1048576k']);
  expect(values('-smp', args())).toEqual(['2,sockets=1,cores=2,threads=1']);
  expect(json('-object', 'ram0')).toMatchObject({size: 1024 ** 3});
});

test('each disk states its format, and the guest can give space back', () => {
  expect(json('-blockdev', 'node0')).toMatchObject({
    driver: 'qcow2',
    'read-only': false,
    discard: 'unmap',
    file: {driver: 'file', filename: '/var/lib/wherry/root.overlay.qcow2', discard: 'unmap'},
  });
  expect(json('-blockdev', 'node1')).toMatchObject({
    driver: 'raw',
    file: {filename: '/run/wherry-volumes/data/disk.img'},
  });
  expect(json('-blockdev', 'node2')).toMatchObject({driver: 'qcow2'});
  expect(json('-blockdev', 'node3')).toMatchObject({driver: 'raw', 'read-only': true});
});

test('files are made before the engine starts', () => {
  expect(qemuPlan(machine()).files).toEqual([
    {make: 'overlay', path: '/var/lib/wherry/root.overlay.qcow2', backing: '/run/wherry-volumes/root/disk'},
    {make: 'raw', path: '/run/wherry-volumes/data/disk.img', bytes: 1024 ** 3},
    {make: 'qcow2', path: '/var/lib/wherry/scratch.empty.qcow2', bytes: 2 * 1024 ** 3},
    expect.objectContaining({make: 'iso', path: '/var/lib/wherry/seed.seed.iso', label: 'cidata'}),
  ]);
});

test('the guest boots from its disks in their order, and never from a seed', () => {
  expect(json('-device', 'disk-root')).toMatchObject({bootindex: 1});
  expect(json('-device', 'disk-data')).toMatchObject({bootindex: 2});
  expect(json('-device', 'disk-seed')).not.toHaveProperty('bootindex');
});

test('interfaces come first on the ports, then disks, and four ports stay free', () => {
  expect(json('-device', 'net-default')).toMatchObject({
    bus: 'rp0',
    mac: '02:00:00:00:00:01',
    romfile: '',
    host_mtu: 1450,
  });
  expect(json('-device', 'disk-root')).toMatchObject({driver: 'virtio-blk-pci', bus: 'rp1'});
  expect(json('-device', 'disk-seed')).toMatchObject({driver: 'ide-cd', bus: 'ide.0'});
  const ports = values('-device', args()).filter(value => value.includes('pcie-root-port'));
  expect(ports).toHaveLength(1 + 3 + 4);
});

test('ports fill slot after slot, eight functions each', () => {
  const disks = Array.from({length: 9}, (_, n) => ({...machine().disks[2]!, name: `d${n}`}));
  const list = args({disks});
  expect(json('-device', 'rp0', list)).toMatchObject({addr: '0x2.0x0', multifunction: true, chassis: 1});
  expect(json('-device', 'rp7', list)).toMatchObject({addr: '0x2.0x7', chassis: 8});
  expect(json('-device', 'rp8', list)).toMatchObject({addr: '0x3.0x0', multifunction: true, chassis: 9});
});

test('more disks or cdroms than the machine has room for are refused', () => {
  const [root, , , seed] = machine().disks;
  const many = (count: number, like: typeof root) => Array.from({length: count}, (_, n) => ({...like!, name: `d${n}`}));
  expect(() => args({disks: many(220, root)})).toThrow(/has room for 220 disks and interfaces, not 221/);
  expect(() => args({disks: many(7, seed)})).toThrow(/has room for 6 disks and cdroms on sata, not 7/);
});

test('a guest that wants no balloon has none, and the devices beside it stay where they are', () => {
  const list = args({devices: {...machine().devices, balloon: false}});
  expect(values('-device', list).filter(value => value.includes('balloon'))).toEqual([]);
  expect(json('-device', 'channels', list)).toMatchObject({addr: '0x1.0x2'});
});

test('a guest that wants no serial console has no serial port, and the launcher no end of one', () => {
  const list = args({devices: {...machine().devices, serialConsole: false}});
  expect(values('-serial', list)).toEqual([]);
  expect(list.join(' ')).not.toContain('serial0');
});

test('a plan says of console and start only what is not so anyway: launchers of before know neither', () => {
  expect(qemuPlan(machine())).not.toHaveProperty('logConsole');
  expect(qemuPlan(machine())).not.toHaveProperty('startPaused');
  expect(qemuPlan(machine({logConsole: false, startPaused: true}))).toMatchObject({
    logConsole: false,
    startPaused: true,
  });
});

test('a reboot ends the engine where it is to end the run', () => {
  expect(values('-action', args())).toEqual(['reboot=reset,shutdown=poweroff,panic=exit-failure']);
  expect(values('-action', args({rebootPolicy: 'Terminate'}))).toEqual([
    'reboot=shutdown,shutdown=poweroff,panic=exit-failure',
  ]);
});

test('a kernel of its own is booted with its arguments', () => {
  const list = args({kernel: {kernel: '/k', initrd: '/i', args: 'console=ttyS0 a,b'}});
  expect(values('-kernel', list)).toEqual(['/k']);
  expect(values('-initrd', list)).toEqual(['/i']);
  expect(values('-append', list)).toEqual(['console=ttyS0 a,b']);
});

test('the guest is leased its one address', () => {
  expect(qemuPlan(machine()).dhcp).toEqual([
    {
      interface: 'default',
      socket: 'dhcp0',
      mac: '02:00:00:00:00:01',
      address: '10.0.2.2',
      prefixLength: 24,
      router: '10.0.2.1',
      mtu: 1450,
      hostname: 'guest',
      resolvConf: '/etc/resolv.conf',
    },
  ]);
});
