/** The block devices of claims: the pod has them and may not open them, so the daemon does, in the pod's own view. */
import type {Host} from '@wherry/native';
import type {DeviceFacts, Devices} from '../machine/disk-source.ts';
import type {MachineDisk} from '../machine/disks.ts';

interface Process {
  readonly pid: number;
  readonly pidfd: number;
}

/**
 * Opens each device as its disk uses it, and says what it is like, by the name of the volume.
 * @param keep takes the descriptor of the disk at this place; from then on it is the taker's to close
 * @throws NativeError NotFound, WrongType, Escapes: the pod has no such device
 */
export const openBlockDevices = async (
  host: Pick<Host, 'openBlockDevice'>,
  process: Process,
  disks: readonly MachineDisk[],
  keep: (index: number, fd: number) => void,
): Promise<Devices> => {
  const devices = new Map<string, DeviceFacts>();
  for (const [index, {name, source, cache, readOnly}] of disks.entries()) {
    if (source.from !== 'device' && source.from !== 'ephemeralDevice') continue;
    // QEMU takes no descriptor that was opened otherwise than it would open the device itself.
    const {fd, ...facts} = await host.openBlockDevice(process, source.path, {
      readOnly: readOnly || source.from === 'ephemeralDevice',
      direct: cache === 'none' || cache === 'directsync',
    });
    keep(index, fd);
    devices.set(name, facts);
  }
  return devices;
};
