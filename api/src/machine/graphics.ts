/** Graphics and pointing devices: what the guest has for what its spec says. */
import type {Devices, Domain, InputBus, VideoType} from '../v1/index.ts';

/** The guest's graphics card; undefined where it has none. */
export const videoType = ({
  devices: {autoattachGraphicsDevice, video},
  firmware,
}: Pick<Domain, 'devices' | 'firmware'>): VideoType | undefined => {
  if (autoattachGraphicsDevice === false) return undefined;
  // As KubeVirt has it: who starts by UEFI needs nothing of what a VGA was before.
  const usual = firmware?.bootloader?.efi === undefined ? 'vga' : 'bochs';
  return video?.type ?? (autoattachGraphicsDevice === true ? usual : undefined);
};

export interface EffectiveInput {
  readonly name: string;
  readonly type: 'tablet';
  readonly bus: InputBus;
}

/** The guest's tablets: those that it lists, or one where it lists none and wants one. */
export const inputsOf = ({
  autoattachInputDevice,
  inputs = [],
}: Pick<Devices, 'autoattachInputDevice' | 'inputs'>): readonly EffectiveInput[] => {
  const attached = autoattachInputDevice === true && inputs.length === 0 ? [{name: 'default-0', bus: 'usb'}] : inputs;
  return attached.map(({name, bus}) => ({name, type: 'tablet', bus: bus === 'virtio' ? 'virtio' : 'usb'}));
};
