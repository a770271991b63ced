/** Rules about the machine itself: CPUs, firmware, clock and features. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, send, set} from '../support/crds.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

const names = ['pcid', 'aes', 'ssbd', 'vmx', 'hypervisor'];
let count = 0;
const fresh = (): string => `machine-${count++}`;

type Change = readonly [path: string, value: unknown];

const changed = (object: object, prefix: string, [path, value]: Change): object =>
  set(object, `${prefix}.domain.${path}`, value);

describe('takes', () => {
  test.each<Change>([
    ['machine', {type: ''}],
    ['machine', {type: 'q35'}],
    ['machine', {type: 'pc-q35-8.2'}],
    ['firmware', {serial: 'A.b_c+d-1'}],
    ['firmware', {bootloader: {bios: {}}}],
    ['firmware', {bootloader: {bios: {useSerial: true}}}],
    ['firmware', {bootloader: {efi: {secureBoot: false}}}],
    ['firmware', {bootloader: {efi: {secureBoot: false, persistent: false}}}],
    ['chassis', {}],
    ['chassis', {manufacturer: 'Wherry, Ltd.', version: '1', serial: '2', asset: '3', sku: '4'}],
    ['clock', {utc: {}}],
    ['clock', {utc: {offsetSeconds: -3600}}],
    ['clock', {timezone: 'America/Port-au-Prince'}],
    ['clock', {utc: {}, timezone: ''}],
    [
      'clock',
      {
        utc: {},
        timer: {
          hpet: {present: false},
          hyperv: {},
          kvm: {present: true},
          pit: {tickPolicy: 'delay'},
          rtc: {present: true, tickPolicy: 'catchup', track: 'guest'},
        },
      },
    ],
    ['features', {acpi: {}, apic: {endOfInterrupt: true}, kvm: {hidden: true}, pvspinlock: {enabled: false}}],
    ['features', {acpi: {enabled: false}, hypervPassthrough: {enabled: true}, hyperv: {}}],
    ['features', {hyperv: {relaxed: {}, vapic: {}, spinlocks: {spinlocks: 8191}, vendorid: {vendorid: 'KVM Hv'}}}],
    ['features', {hyperv: {synictimer: {direct: {}}, tlbflush: {direct: {}, extended: {enabled: false}}, ipi: {}}}],
    ['features', {hyperv: {ipi: {enabled: false}, vpindex: {enabled: false}}}],
    ['cpu', {model: ''}],
    ['cpu', {model: 'host-model'}],
    ['cpu', {model: 'host-passthrough'}],
    ['cpu', {model: 'Skylake-Server-noTSX-IBRS', features: [{name: 'avx2', policy: 'disable'}, {name: 'lahf_lm'}]}],
    [
      'cpu',
      {features: ['', 'force', 'require', 'optional', 'forbid'].map((policy, at) => ({name: names[at], policy}))},
    ],
  ])('%s %j', async (...change) => {
    const answer = await send(control, changed(anInstance(fresh()), 'spec', change));
    expect([answer.status, causes(answer)]).toEqual([201, []]);
  });
});

const having = (policy: string) => {
  const evmcs = set(anInstance(fresh()), 'spec.domain.features', {hyperv: {evmcs: {}}});
  return set(evmcs, 'spec.domain.cpu.features', [{name: 'vmx', policy}]);
};

test('nested state of Hyper-V and a CPU that does not nest contradict each other', async () => {
  expect((await send(control, having('require'))).status).toBe(201);
  expect(causes(await send(control, having('optional')))).toEqual([
    expect.objectContaining({
      field: 'spec.domain.cpu.features',
      message: expect.stringContaining('evmcs needs the CPU feature vmx'),
    }),
  ]);
});

interface Refusal {
  readonly change: Change;
  /** Below `domain`. */
  readonly field: string;
  readonly message: string;
}

const refused = (path: string, value: unknown, field: string, message: string): Refusal => ({
  change: [path, value],
  field,
  message,
});
const hyperv = (features: object): object => ({hyperv: features});

const refusals: readonly Refusal[] = [
  refused('machine', {type: 'pc'}, 'machine.type', 'supported values: "", "q35", "pc-q35-10.0"'),
  refused('machine', {type: 'pc-q35-99.0'}, 'machine.type', 'supported values'),
  refused('firmware', {serial: 'a b'}, 'firmware.serial', 'may hold letters, digits and _ . + - only'),
  refused('firmware', {serial: 'x'.repeat(257)}, 'firmware.serial', 'may not be more than 256'),
  refused('firmware', {bootloader: {bios: {}, efi: {secureBoot: false}}}, 'firmware.bootloader', 'exclude each other'),
  refused('firmware', {bootloader: {efi: {}}}, 'firmware.bootloader.efi.secureBoot', 'write efi: {secureBoot: false}'),
  refused(
    'firmware',
    {bootloader: {efi: {secureBoot: true}}},
    'firmware.bootloader.efi.secureBoot',
    'write efi: {secureBoot: false}',
  ),
  refused(
    'firmware',
    {bootloader: {efi: {secureBoot: false, persistent: true}}},
    'firmware.bootloader.efi.persistent',
    'domain.firmware.bootloader.efi.persistent is not supported',
  ),
  refused('chassis', {serial: 'two\nlines'}, 'chassis.serial', 'should match'),
  refused('clock', {utc: {}, timezone: 'Europe/Paris'}, 'clock.timezone', 'utc and timezone exclude each other'),
  refused('clock', {timezone: 'Europe/Paris;'}, 'clock.timezone', 'should match'),
  refused(
    'clock',
    {timer: {hpet: {tickPolicy: 'merge'}}},
    'clock.timer.hpet.tickPolicy',
    'supported values: "", "delay"',
  ),
  refused('clock', {timer: {pit: {tickPolicy: 'catchup'}}}, 'clock.timer.pit.tickPolicy', '"", "delay", "discard"'),
  refused('clock', {timer: {rtc: {tickPolicy: 'merge'}}}, 'clock.timer.rtc.tickPolicy', '"", "delay", "catchup"'),
  refused('clock', {timer: {rtc: {track: 'boot'}}}, 'clock.timer.rtc.track', '"", "wall", "guest"'),
  refused('clock', {timer: {rtc: {present: false}}}, 'clock.timer.rtc.present', 'every machine has a real-time clock'),
  refused('features', {apic: {enabled: false}}, 'features.apic.enabled', 'every guest has an APIC'),
  refused('features', {smm: {}}, 'features.smm', 'domain.features.smm is not supported'),
  refused('features', hyperv({evmcs: {}, vapic: {enabled: false}}), 'features.hyperv.evmcs', 'evmcs needs vapic'),
  refused('features', hyperv({ipi: {}, vpindex: {enabled: false}}), 'features.hyperv.ipi', 'ipi needs vpindex'),
  refused('features', hyperv({synic: {}, vpindex: {enabled: false}}), 'features.hyperv.synic', 'synic needs vpindex'),
  refused(
    'features',
    hyperv({tlbflush: {}, vpindex: {enabled: false}}),
    'features.hyperv.tlbflush',
    'tlbflush needs vpindex',
  ),
  refused(
    'features',
    hyperv({synictimer: {}, synic: {enabled: false}}),
    'features.hyperv.synictimer',
    'synictimer needs synic',
  ),
  refused(
    'features',
    hyperv({spinlocks: {spinlocks: 100}}),
    'features.hyperv.spinlocks.spinlocks',
    'greater than or equal to 4095',
  ),
  refused(
    'features',
    hyperv({vendorid: {vendorid: 'thirteen chars'}}),
    'features.hyperv.vendorid.vendorid',
    'more than 12',
  ),
  refused('features', hyperv({vendorid: {vendorid: 'a,b'}}), 'features.hyperv.vendorid.vendorid', 'should match'),
  refused(
    'features',
    {hyperv: {relaxed: {}}, hypervPassthrough: {}},
    'features.hypervPassthrough',
    'hyperv and hypervPassthrough exclude each other',
  ),
  refused('cpu', {model: 'Z80'}, 'cpu.model', 'must be host-model, host-passthrough or a model of QEMU'),
  refused('cpu', {features: [{name: 'magic'}]}, 'cpu.features[0].name', 'is no feature that QEMU knows'),
  refused('cpu', {features: [{name: 'avx', policy: 'maybe'}]}, 'cpu.features[0].policy', 'supported values'),
];

describe('refuses', () => {
  test.each(refusals)('$change, by $field', async ({change, field, message}) => {
    for (const [object, prefix] of [
      [anInstance(fresh()), 'spec'],
      [aMachine(fresh()), 'spec.template.spec'],
    ] as const) {
      const found = causes(await send(control, changed(object, prefix, change)));
      expect(found).toContainEqual(
        expect.objectContaining({field: `${prefix}.domain.${field}`, message: expect.stringContaining(message)}),
      );
    }
  });
});
