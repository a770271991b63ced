/** What the e2e set-up leaves for the tests, as a file. */
export interface E2eEnvironment {
  readonly kubectl: string;
  readonly kubeconfig: string;
  /** KubeVirt's own tool. */
  readonly virtctl: string;
  readonly helm: string;
  /** Arguments of helm that install or upgrade what the set-up installed, to which more may be added. */
  readonly helmArguments: readonly string[];
  /** Names of kind's node containers: commands run in the node through `docker exec`. */
  readonly nodes: readonly string[];
  readonly images: {
    readonly tiny: string;
    /** A containerDisk that boots the tiny guest, by BIOS or UEFI and from any bus. */
    readonly tinyDisk: string;
    readonly debian: string;
    readonly launcher: string;
    /** With the launcher of the protocol version before. Absent where it is not wanted, or cannot be built from this clone. */
    readonly launcherBefore?: string;
  };
}

/** Arguments that let the tiny guest's kernel boot quickly under emulation: of the buses that no bridge leads to it looks at none. */
export const tinyKernelArgs =
  'console=ttyS0 quiet mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests random.trust_cpu=on rcupdate.rcu_expedited=1 pci=lastbus=0';

export interface TinyOptions {
  readonly runStrategy?: 'Always' | 'Halted' | 'RerunOnFailure' | 'Once' | 'Manual';
  readonly memory?: string;
  readonly graceSeconds?: number;
  readonly labels?: Record<string, string>;
  readonly ports?: readonly {name: string; port: number}[];
  readonly disks?: readonly object[];
  readonly volumes?: readonly object[];
  readonly kernelArgs?: string;
  /** More fields of the instance's spec, of its domain, of its devices. */
  readonly spec?: object;
  readonly domain?: object;
  readonly devices?: object;
}

/** The spec of an instance that boots the tiny guest's kernel directly. */
export const tinyInstanceSpec = (image: string, options: TinyOptions = {}): object => ({
  terminationGracePeriodSeconds: options.graceSeconds ?? 20,
  domain: {
    cpu: {cores: 1},
    memory: {guest: options.memory ?? '128Mi'},
    firmware: {
      kernelBoot: {
        kernelArgs: options.kernelArgs ?? tinyKernelArgs,
        container: {image, kernelPath: '/boot/vmlinux', initrdPath: '/boot/initrd', imagePullPolicy: 'IfNotPresent'},
      },
    },
    devices: {
      disks: options.disks ?? [],
      interfaces: [{name: 'default', masquerade: {}, ...(options.ports === undefined ? {} : {ports: options.ports})}],
      ...options.devices,
    },
    ...options.domain,
  },
  networks: [{name: 'default', pod: {}}],
  volumes: options.volumes ?? [],
  ...options.spec,
});

export const tinyVm = (name: string, image: string, options: TinyOptions = {}): object => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: {name},
  spec: {
    runStrategy: options.runStrategy ?? 'Always',
    template: {
      metadata: {labels: {'kubevirt.io/domain': name, ...options.labels}},
      spec: tinyInstanceSpec(image, options),
    },
  },
});
