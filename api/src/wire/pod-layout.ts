/** Where things lie in a VM pod. The operator renders it, the node-daemon plans by it. All paths are inside the container. */
export const PodLayout = {
  /** The one container. */
  container: 'compute',
  /** Guest and pod run as this uid and gid. */
  user: 107,
  launcher: '/usr/bin/wherry-launcher',
  qemu: '/usr/bin/qemu-system-x86_64',
  vmm: '/usr/bin/wherry-vmm',
  /** emptyDir with launcher.sock and console.sock: the only folder that the node-daemon reaches into. */
  socketsVolume: 'wherry-sockets',
  sockets: '/run/wherry',
  launcherSocket: 'launcher.sock',
  consoleSocket: 'console.sock',
  /** emptyDir with overlays, empty disks and seed images. */
  privateVolume: 'wherry-private',
  private: '/var/lib/wherry',
  /** Image volume of kernelBoot. */
  kernelVolume: 'wherry-kernel',
  kernel: '/run/wherry-kernel',
  /** Parent of one folder per VMI volume. */
  volumes: '/run/wherry-volumes',
  /** Firmware files of the QEMU closure (bios, option ROMs). */
  firmware: '/usr/share/qemu',
  /** UEFI, and its variables as they are before a first start. */
  efiCode: '/usr/share/OVMF/OVMF_CODE_4M.fd',
  efiVariables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
  resolvConf: '/etc/resolv.conf',
  /** Environment of the container. */
  env: {uid: 'WHERRY_VMI_UID', name: 'WHERRY_VMI_NAME'},
} as const;

/** Where a claim in block mode has its device in the pod, which the pod itself cannot open. */
export const volumeDevicePath = (volume: string): string => `/dev/wherry/${volume}`;

/** Where a volume of the VMI is mounted. A containerDisk's image keeps its disk below `disk/`; a claim holds `disk.img`. */
export const volumePath = (volume: string): string => `${PodLayout.volumes}/${volume}`;

/** Where the Secrets of a cloud-init volume are mounted: user data and network data may come from two Secrets. */
export const cloudInitSecretPath = (volume: string, part: 'user' | 'network'): string =>
  `${PodLayout.volumes}/${volume}/${part}`;

/** Files that the launcher makes for one run. */
export const overlayPath = (volume: string): string => `${PodLayout.private}/${volume}.overlay.qcow2`;
export const emptyDiskPath = (volume: string): string => `${PodLayout.private}/${volume}.empty.qcow2`;
/** The same, for an engine that knows raw images alone. */
export const rawEmptyDiskPath = (volume: string): string => `${PodLayout.private}/${volume}.empty.img`;
export const seedPath = (volume: string): string => `${PodLayout.private}/${volume}.seed.iso`;
/** No volume has a file of this name: theirs end in what they are. */
export const efiVariablesPath: string = `${PodLayout.private}/efi-variables.qcow2`;
