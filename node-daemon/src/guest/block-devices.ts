/** The block devices of claims: the pod has them and may not open them, so the daemon does, in the pod's own view. */
import type {BlockDevice, Host} from '@wherry/native';
import type {DeviceFacts, Devices} from '../machine/disk-source.ts';
import type {MachineDisk} from '../machine/disks.ts';

interface Process {
  readonly pid: number;
  readonly pidfd: number;
}

/**
 * Opens each device as its disk uses it, and says what it is like, by the name of the volume.
 * @param alignsIo whether the engine can use storage without the node's cache whose blocks are larger than the guest's
 * @param keep takes the descriptor of the disk at this place; from then on it is the taker's to close
 * @throws NativeError NotFound, WrongType, Escapes: the pod has no such device
 */
export const openBlockDevices = async (
  host: Pick<Host, 'openBlockDevice' | 'close'>,
  process: Process,
  disks: readonly MachineDisk[],
  alignsIo: boolean,
  keep: (index: number, fd: number) => void,
): Promise<Devices> => {
  const devices = new Map<string, DeviceFacts>();
  for (const [index, disk] of disks.entries()) {
    const {name, source, cache} = disk;
    if (source.from !== 'device' && source.from !== 'ephemeralDevice') continue;
    const readOnly = disk.readOnly || source.from === 'ephemeralDevice';
    const open = (direct: boolean): Promise<BlockDevice> =>
      host.openBlockDevice(process, source.path, {readOnly, direct});
    // QEMU takes no descriptor that was opened otherwise than it would open the device itself.
    const direct = cache === 'none' || cache === 'directsync';
    let device = await open(direct);
    if (direct && !alignsIo && device.logical > guestBlock(disk)) {
      host.close(device.fd);
      device = await open(false);
    }
    const {fd, ...facts} = device;
    keep(index, fd);
    devices.set(name, facts);
  }
  return devices;
};

/** Bytes. */
const guestBlock = ({blockSizes}: MachineDisk): number => {
  if (blockSizes === 'volume') return Number.POSITIVE_INFINITY;
  return blockSizes?.logical ?? 512;
};
