/** Debian 12 as its packages install it, on a disk without a boot loader: what its kernel and initial file system are, nobody here has a say in. */
import {mkdtemp, readdir, rename, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {requireDebianTools, withoutPapers} from '../../../../images/debian/tree.ts';
import {imageCache} from '../../../../images/image-cache.ts';
import {cachedFolder} from '../../../../scripts/core/cached.ts';
import {run} from '../../../../scripts/core/command.ts';
import {fingerprint} from '../../../../scripts/core/fingerprint.ts';
import type {Progress} from '../../../../scripts/core/progress.ts';
import {requirePrograms} from '../../../../scripts/core/requirements.ts';
import type {DebianGuest} from './debian.ts';

const packages = ['linux-image-cloud-amd64', 'initramfs-tools', 'zstd', 'systemd-sysv', 'udev', 'kmod', 'iproute2'];
const DISK_KIB = 1536 * 1024;

/** Root is logged in at the console, by files of the system alone. */
const autologin = `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear %I linux
`;
const hooks = [
  'mkdir -p "$1/etc/systemd/system/serial-getty@ttyS0.service.d"',
  `printf '${autologin.replaceAll('%', '%%').replaceAll('\n', '\\n')}' >"$1/etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf"`,
  // As after the first boot, which does much that is done once.
  'tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"; touch "$1/etc/.updated" "$1/var/.updated"',
];

/** Unpacked and packed again in one go, because fakeroot forgets when it ends. */
const makeFileSystem = `
mkdir "$2"
tar -xpf "$1" -C "$2" --numeric-owner
cp "$2"/boot/vmlinuz-* "$2"/boot/initrd.img-* "$3"
PATH="$PATH:/usr/sbin:/sbin"
mke2fs -q -t ext4 -L root -m 1 -d "$2" "$3/disk" "$4k"
`;

/** Made on first use, in a minute or two, and kept in the cache. */
export async function debian12Guest(progress: Progress): Promise<DebianGuest> {
  const key = await fingerprint({files: [import.meta.filename]});
  const folder = await cachedFolder(imageCache(), 'lab-debian-12', key, partial =>
    progress.step('install Debian 12 from packages', say => install(partial, say)),
  );
  return {kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd.img'), disk: join(folder, 'disk')};
}

async function install(to: string, say: (doing: string) => void): Promise<void> {
  const asRoot = process.getuid?.() === 0 ? [] : ['fakeroot', '--'];
  requireDebianTools();
  const programs = {mke2fs: 'e2fsprogs', ...(asRoot.length > 0 && {fakeroot: 'fakeroot'})};
  requirePrograms('installing Debian 12', programs, `${process.env['PATH']}:/usr/sbin:/sbin`);
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-debian-12-'));
  try {
    const archive = join(scratch, 'root.tar');
    const options = [
      '--variant=minbase',
      `--include=${packages.join(',')}`,
      '--dpkgopt=force-unsafe-io',
      ...withoutPapers,
    ];
    const customized = hooks.map(hook => `--customize-hook=${hook}`);
    await run(
      'mmdebstrap',
      [...options, '--aptopt=APT::Install-Recommends "false"', ...customized, 'bookworm', archive],
      {
        onLine: say,
      },
    );
    say('the file system');
    const [shell, ...rest] = [...asRoot, 'sh', '-euc', makeFileSystem, 'sh'];
    await run(shell ?? 'sh', [...rest, archive, join(scratch, 'root'), to, String(DISK_KIB)]);
    for (const name of await readdir(to)) {
      const short = /^(vmlinuz|initrd\.img)-/.exec(name)?.[1];
      if (short !== undefined) await rename(join(to, name), join(to, short));
    }
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}
