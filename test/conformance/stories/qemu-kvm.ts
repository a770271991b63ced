/** What QEMU is told only where it runs guests with KVM: command lines that nothing else can try. */
import assert from 'node:assert/strict';
import type {Guest} from '../guest.ts';
import type {Story, Subject} from '../story.ts';

const lacks = ({engine, accelerator}: Subject): string | undefined =>
  engine === 'qemu' && accelerator === 'kvm' ? undefined : 'QEMU with KVM';

/** What the guest's kernel says of it, if anything. */
const hypervisor = (guest: Guest): Promise<string> => guest.shell("dmesg | grep 'Hypervisor detected' || true");

/** Those that have no values. */
const hypervSwitches = Object.fromEntries(
  'relaxed vapic vpindex runtime synic frequencies ipi tlbflush reenlightenment reset'
    .split(' ')
    .map(name => [name, {}]),
);

const boots = {
  name: 'it boots',
  run: async (guest: Guest): Promise<void> => {
    await guest.running();
    await guest.login();
  },
};

/** A vendor-neutral way to see what a guest's kernel made of its processor. */
const flags = (guest: Guest): Promise<string> => guest.shell("grep -m1 '^flags' /proc/cpuinfo");

export const qemuWithKvm: readonly Story[] = [
  {
    name: 'QEMU with KVM, and a processor of a named model',
    lacks,
    guest: {
      domain: {
        // A model that every processor can be, whoever made it.
        cpu: {cores: 1, model: 'kvm64', features: [{name: 'cx16', policy: 'disable'}, {name: 'x2apic'}]},
        memory: {guest: '128Mi'},
      },
    },
    steps: [
      boots,
      {
        name: 'KVM came as a descriptor, and the engine has no other way to it',
        run: async guest => assert.ok((await guest.engineArgs()).includes('kvm,device=/dev/fdset/1')),
      },
      {
        name: 'its packets go through vhost-net where the node has it',
        run: async guest => {
          const netdev = (await guest.engineArgs()).find(one => one.startsWith('{"type":"tap"')) ?? '';
          assert.match(netdev, /vhostfd/);
          await guest.answers();
        },
      },
      {
        name: 'it knows that KVM runs it, and takes its time from there',
        run: async guest => {
          assert.match(await flags(guest), /\bhypervisor\b/);
          const clocks = await guest.shell('cat /sys/devices/system/clocksource/clocksource0/available_clocksource');
          assert.match(clocks, /kvm-clock/);
        },
      },
      {
        name: 'its processor has that model, less what was taken from it',
        run: async guest => {
          assert.match(await guest.shell("grep -m1 'model name' /proc/cpuinfo"), /Common KVM processor/);
          assert.doesNotMatch(await flags(guest), /\bcx16\b/);
          assert.match(await flags(guest), /\bx2apic\b/);
        },
      },
    ],
  },
  {
    name: 'a guest that is to think it runs on Hyper-V',
    lacks,
    guest: {
      domain: {
        cpu: {cores: 1},
        memory: {guest: '128Mi'},
        clock: {
          utc: {},
          timer: {hyperv: {}, kvm: {present: false}, hpet: {present: false}, pit: {tickPolicy: 'delay'}},
        },
        features: {
          acpi: {},
          kvm: {hidden: true},
          hyperv: {
            ...hypervSwitches,
            synictimer: {direct: {}},
            spinlocks: {spinlocks: 8191},
          },
        },
      },
    },
    steps: [
      boots,
      {
        name: 'its kernel finds Hyper-V and no KVM',
        run: async guest => {
          assert.match(await hypervisor(guest), /Hypervisor detected: Microsoft Hyper-V/);
          const clocks = await guest.shell('cat /sys/devices/system/clocksource/clocksource0/available_clocksource');
          assert.match(clocks, /hyperv_clocksource/);
          assert.doesNotMatch(clocks, /kvm-clock/);
        },
      },
    ],
  },
  {
    // Linux knows Hyper-V by its vendor, so this one takes it for none at all.
    name: 'a guest that does not see KVM, nor whose Hyper-V it has',
    lacks,
    guest: {
      domain: {
        cpu: {cores: 1},
        memory: {guest: '128Mi'},
        features: {kvm: {hidden: true}, hyperv: {...hypervSwitches, vendorid: {vendorid: 'wherry'}}},
      },
    },
    steps: [
      boots,
      {
        name: 'its kernel finds none',
        run: async guest => assert.equal(await hypervisor(guest), ''),
      },
    ],
  },
];
