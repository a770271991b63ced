import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, send, set} from '../support/crds.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

type Change = readonly (readonly [path: string, value: unknown])[];

const devices = 'spec.domain.devices';
const changed = (object: object, change: Change): object =>
  change.reduce((known, [path, value]) => set(known, path, value), object);

const refused: readonly {sentence: string; change: Change; field: string; message: string}[] = [
  {
    sentence: 'a graphics card of a type that no machine has',
    change: [[`${devices}.video`, {type: 'qxl'}]],
    field: `${devices}.video.type`,
    message: 'supported values: "vga", "cirrus", "bochs", "virtio", "ramfb"',
  },
  {
    sentence: 'a type of graphics card where there shall be none, as KubeVirt does',
    change: [
      [`${devices}.video`, {type: 'virtio'}],
      [`${devices}.autoattachGraphicsDevice`, false],
    ],
    field: `${devices}.video`,
    message: 'autoattachGraphicsDevice is false: remove one of the two',
  },
  {
    sentence: 'an input that is no tablet, as KubeVirt does',
    change: [[`${devices}.inputs`, [{name: 'keys', type: 'keyboard'}]]],
    field: `${devices}.inputs[0].type`,
    message: 'must be tablet: a keyboard every guest has already',
  },
  {
    sentence: 'an input on a bus that there is not',
    change: [[`${devices}.inputs`, [{name: 'pen', type: 'tablet', bus: 'ps2'}]]],
    field: `${devices}.inputs[0].bus`,
    message: 'must be usb or virtio',
  },
  {
    sentence: 'an input without a name',
    change: [[`${devices}.inputs`, [{type: 'tablet'}]]],
    field: '',
    message: 'omits all key fields ["name"]',
  },
  {
    sentence: 'two inputs of one name',
    change: [
      [
        `${devices}.inputs`,
        [
          {name: 'pen', type: 'tablet'},
          {name: 'pen', type: 'tablet', bus: 'virtio'},
        ],
      ],
    ],
    field: '',
    message: 'duplicate entries for key [name="pen"]',
  },
  {
    sentence: 'a watchdog that does what there is no word for',
    change: [[`${devices}.watchdog`, {name: 'dog', i6300esb: {action: 'bark'}}]],
    field: `${devices}.watchdog.i6300esb.action`,
    message: 'must be reset, shutdown or poweroff',
  },
  {
    sentence: 'a watchdog of another architecture, as KubeVirt does',
    change: [[`${devices}.watchdog`, {name: 'dog', diag288: {action: 'reset'}}]],
    field: `${devices}.watchdog.diag288`,
    message: 'domain.devices.watchdog.diag288 is not supported: use i6300esb: {action: reset}',
  },
  {
    sentence: 'a sound card without a name, as KubeVirt does',
    change: [[`${devices}.sound`, {model: 'ac97'}]],
    field: `${devices}.sound.name`,
    message: 'Required value',
  },
  {
    sentence: 'a sound card that there is not',
    change: [[`${devices}.sound`, {name: 'card', model: 'sb16'}]],
    field: `${devices}.sound.model`,
    message: 'must be ich9 or ac97',
  },
  {
    sentence: 'a panic device of Hyper-V',
    change: [[`${devices}.panicDevices`, [{model: 'hyperv'}]]],
    field: `${devices}.panicDevices[0].model`,
    message: 'hyperv is not supported: use isa or pvpanic',
  },
  {
    sentence: 'a panic device that there is not',
    change: [[`${devices}.panicDevices`, [{model: 'bell'}]]],
    field: `${devices}.panicDevices[0].model`,
    message: 'must be isa or pvpanic',
  },
  {
    sentence: 'a start strategy that KubeVirt does not know',
    change: [['spec.startStrategy', 'Later']],
    field: 'spec.startStrategy',
    message: 'must be Paused',
  },
  {
    sentence: 'a guest that starts paused and is asked whether it lives, as KubeVirt does',
    change: [
      ['spec.startStrategy', 'Paused'],
      ['spec.livenessProbe', {tcpSocket: {port: 80}}],
      [`${devices}.interfaces`, [{name: 'default', masquerade: {}}]],
      ['spec.networks', [{name: 'default', pod: {}}]],
    ],
    field: 'spec.startStrategy',
    message: 'must not be Paused with a livenessProbe',
  },
  {
    sentence: 'a reboot policy that KubeVirt does not know',
    change: [['spec.domain.rebootPolicy', 'Ignore']],
    field: 'spec.domain.rebootPolicy',
    message: 'must be Reboot or Terminate',
  },
];

describe('the API server refuses', () => {
  test.each(refused)('$sentence', async ({change, field, message}) => {
    const answer = await send(control, changed(anInstance('refused'), change));
    expect(answer.status).not.toBe(201);
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

  test('the same in the template of a machine', async () => {
    const answer = await send(control, set(aMachine('refused'), 'spec.template.spec.domain.rebootPolicy', 'Ignore'));
    expect(causes(answer)).toContainEqual(expect.objectContaining({field: 'spec.template.spec.domain.rebootPolicy'}));
  });
});

const accepted: readonly [sentence: string, change: Change][] = [
  [
    'every device that may be left out',
    [
      [`${devices}.autoattachMemBalloon`, false],
      [`${devices}.autoattachSerialConsole`, false],
      [`${devices}.logSerialConsole`, false],
      [`${devices}.autoattachGraphicsDevice`, false],
      [`${devices}.autoattachInputDevice`, false],
    ],
  ],
  [
    'every device that may be asked for',
    [
      [`${devices}.rng`, {}],
      [`${devices}.autoattachMemBalloon`, true],
      [`${devices}.autoattachSerialConsole`, true],
      [`${devices}.logSerialConsole`, true],
      [`${devices}.autoattachGraphicsDevice`, true],
      [`${devices}.autoattachInputDevice`, true],
      [`${devices}.video`, {type: 'bochs'}],
      [`${devices}.watchdog`, {name: 'dog', i6300esb: {action: 'poweroff'}}],
      [`${devices}.sound`, {name: 'card', model: 'ich9'}],
      [`${devices}.panicDevices`, [{}, {model: 'isa'}, {model: 'pvpanic'}]],
      [`${devices}.blockMultiQueue`, true],
      [
        `${devices}.inputs`,
        [
          {name: 'pen', type: 'tablet', bus: 'usb'},
          {name: 'touch', type: 'tablet', bus: 'virtio'},
          {name: 'any', type: ''},
        ],
      ],
      ['spec.startStrategy', 'Paused'],
      ['spec.domain.rebootPolicy', 'Terminate'],
    ],
  ],
  [
    'what asks for nothing',
    [
      [`${devices}.video`, {}],
      [`${devices}.inputs`, []],
      [`${devices}.panicDevices`, []],
      [`${devices}.blockMultiQueue`, false],
      [`${devices}.autoattachGraphicsDevice`, false],
      ['spec.startStrategy', ''],
      ['spec.domain.rebootPolicy', ''],
    ],
  ],
];

test.each(accepted)('the API server accepts %s', async (sentence, change) => {
  const answer = await send(control, changed(anInstance(sentence.replaceAll(' ', '-')), change));
  expect(causes(answer)).toEqual([]);
  expect(answer.status).toBe(201);
});
