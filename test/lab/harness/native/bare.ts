/** A guest that is Debian's stock kernel and a shell, which is there within seconds. */
import {chmod, cp, mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from '../../../../scripts/core/command.ts';
import type {Progress} from '../../../../scripts/core/progress.ts';
import {nodeParts} from '../node-image.ts';

export interface BareGuest {
  /** Debian 13's, unpacked. */
  readonly kernel: string;
  readonly initrd: string;
}

const drivers = ['failover', 'net_failover', 'virtio_net', 'virtio_blk'];

/** Says `guest: up` when it can be talked to at the console. Its cards are 10.0.2.2, 10.0.3.2 and so on. */
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for driver in ${drivers.join(' ')}; do insmod /drivers/$driver.ko; done
ip link set lo up
net=2
for card in $(cd /sys/class/net; ls | grep eth); do
  ip link set $card up
  ip addr add 10.0.$net.2/24 dev $card
  net=$((net + 1))
done
echo "guest: up"
exec setsid cttyhack sh
`;

export async function bareGuest(progress: Progress, folder: string): Promise<BareGuest> {
  const parts = await nodeParts(progress);
  const root = join(folder, 'bare');
  for (const name of ['bin', 'drivers', 'proc', 'sys', 'dev', 'tmp']) await mkdir(join(root, name), {recursive: true});
  await cp(join(parts.initrd, 'bin/busybox'), join(root, 'bin/busybox'));
  const order = (await readFile(join(parts.initrd, 'modules/order'), 'utf8')).split('\n');
  for (const driver of drivers) {
    if (!order.includes(driver)) throw new Error(`the lab's kernel brought no ${driver}`);
    await cp(join(parts.initrd, 'modules', `${driver}.ko`), join(root, 'drivers', `${driver}.ko`));
  }
  await writeFile(join(root, 'init'), init);
  await chmod(join(root, 'init'), 0o755);
  const initrd = join(folder, 'bare.initrd');
  await run('sh', ['-c', 'find . | cpio --quiet -o -H newc -R 0:0 >"$0"', initrd], {cwd: root});
  return {kernel: parts.kernel, initrd};
}
