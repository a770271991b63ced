/** The metrics of a guest under KubeVirt's names, as a table: which values one sample gives. Pure. */
import {bytesOf} from '@wherry/api';
import type {GuestMemory} from '../engine/engine.ts';
import type {GuestSample} from './sample.ts';

type Labels = Readonly<Record<string, string>>;

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** Beside `node`, `namespace` and `name`. */
  readonly labels: readonly string[];
  readonly values: (sample: GuestSample) => readonly (readonly [Labels, number])[];
}

type Values = ReturnType<Family['values']>;

/** One value without further labels, or none where it is not known. */
const one = (value: number | undefined): Values => (value === undefined ? [] : [[{}, value]]);

const family = (
  type: Family['type'],
  name: string,
  help: string,
  values: Family['values'],
  labels: readonly string[] = [],
): Family => ({name: `kubevirt_vmi_${name}`, help, type, labels, values});

/** KubeVirt's word for "not said". */
const NONE = '<none>';

const info = family(
  'gauge',
  'info',
  'Information about the instance; always 1.',
  ({vmi}) => {
    const os = vmi.status?.guestOSInfo;
    const labels = {
      phase: (vmi.status?.phase ?? '').toLowerCase(),
      os: NONE,
      workload: NONE,
      flavor: NONE,
      instance_type: NONE,
      preference: NONE,
      guest_os_kernel_release: os?.kernelRelease ?? '',
      guest_os_machine: os?.machine ?? '',
      guest_os_arch: os?.machine ?? '',
      guest_os_name: os?.name ?? '',
      guest_os_version_id: os?.versionId ?? '',
      evictable: 'false',
      outdated: 'false',
    };
    return [[labels, 1]];
  },
  [
    'phase',
    'os',
    'workload',
    'flavor',
    'instance_type',
    'preference',
    'guest_os_kernel_release',
    'guest_os_machine',
    'guest_os_arch',
    'guest_os_name',
    'guest_os_version_id',
    'evictable',
    'outdated',
  ],
);

const cpu: readonly Family[] = [
  family(
    'counter',
    'cpu_usage_seconds_total',
    'CPU time of the engine process in all modes: vCPUs and what emulates their devices.',
    ({process}) => one(process && process.userSeconds + process.systemSeconds),
  ),
  family('counter', 'cpu_user_usage_seconds_total', 'CPU time of the engine process in user mode.', ({process}) =>
    one(process?.userSeconds),
  ),
  family('counter', 'cpu_system_usage_seconds_total', 'CPU time of the engine process in the kernel.', ({process}) =>
    one(process?.systemSeconds),
  ),
  family(
    'counter',
    'vcpu_seconds_total',
    'CPU time of each vCPU.',
    ({vcpus}) =>
      vcpus.map(({vcpu, userSeconds, systemSeconds}) => [
        {id: String(vcpu), state: 'running'},
        userSeconds + systemSeconds,
      ]),
    ['id', 'state'],
  ),
  family(
    'counter',
    'vcpu_delay_seconds_total',
    'Time that each vCPU was ready to run but waited for a CPU of the node.',
    ({vcpus}) => vcpus.map(({vcpu, delaySeconds}) => [{id: String(vcpu)}, delaySeconds]),
    ['id'],
  ),
];

const balloon = (type: Family['type'], name: string, help: string, field: keyof GuestMemory): Family =>
  family(type, name, help, ({stats}) => one(stats?.memory?.[field]));

const memory: readonly Family[] = [
  family('gauge', 'memory_resident_bytes', 'Memory of the engine process that is resident on the node.', ({process}) =>
    one(process?.residentBytes),
  ),
  family('gauge', 'memory_domain_bytes', 'Memory of the guest as its machine has it.', ({vmi}) => {
    const current = vmi.status?.memory?.guestCurrent;
    return one(current === undefined ? undefined : bytesOf(current));
  }),
  balloon('gauge', 'memory_actual_balloon_bytes', 'Memory that the balloon leaves to the guest.', 'actual'),
  balloon('gauge', 'memory_available_bytes', 'Memory that the guest can use at all, in its own words.', 'available'),
  balloon('gauge', 'memory_unused_bytes', 'Memory that the guest leaves wholly unused.', 'unused'),
  balloon('gauge', 'memory_usable_bytes', 'Memory that the guest could use without swapping.', 'usable'),
  balloon('gauge', 'memory_cached_bytes', 'Memory that the guest uses for caches of its disks.', 'cached'),
  balloon('gauge', 'memory_swap_in_traffic_bytes', 'Bytes that the guest has read from swap.', 'swapIn'),
  balloon('gauge', 'memory_swap_out_traffic_bytes', 'Bytes that the guest has written to swap.', 'swapOut'),
  balloon('counter', 'memory_pgmajfault_total', 'Page faults in the guest that needed a disk.', 'majorFaults'),
  balloon('counter', 'memory_pgminfault_total', 'Page faults in the guest that needed none.', 'minorFaults'),
];

type Disk = NonNullable<GuestSample['stats']>['disks'][number];

const storageFamily = (name: string, help: string, value: (disk: Disk) => number): Family =>
  family(
    'counter',
    `storage_${name}`,
    help,
    ({stats}) => (stats?.disks ?? []).map(disk => [{drive: disk.disk}, value(disk)]),
    ['drive'],
  );

const storage: readonly Family[] = [
  storageFamily('iops_read_total', 'Read requests of the guest.', disk => disk.reads),
  storageFamily('iops_write_total', 'Write requests of the guest.', disk => disk.writes),
  storageFamily('read_traffic_bytes_total', 'Bytes that the guest has read.', disk => disk.readBytes),
  storageFamily('write_traffic_bytes_total', 'Bytes that the guest has written.', disk => disk.writtenBytes),
  storageFamily('read_times_seconds_total', 'Time that read requests took.', disk => disk.readSeconds),
  storageFamily('write_times_seconds_total', 'Time that write requests took.', disk => disk.writeSeconds),
  storageFamily('flush_requests_total', 'Flush requests of the guest.', disk => disk.flushes),
  storageFamily('flush_times_seconds_total', 'Time that flush requests took.', disk => disk.flushSeconds),
];

type Counters = GuestSample['interfaces'][number]['counters'];

const networkFamily = (name: string, help: string, value: (counters: Counters) => number): Family =>
  family(
    'counter',
    `network_${name}`,
    help,
    ({interfaces}) => interfaces.map(({name: label, counters}) => [{interface: label}, value(counters)]),
    ['interface'],
  );

/** What the guest receives its tap transmits. */
const network: readonly Family[] = [
  networkFamily('receive_bytes_total', 'Bytes that the guest has received.', tap => tap.txBytes),
  networkFamily('receive_packets_total', 'Packets that the guest has received.', tap => tap.txPackets),
  networkFamily('receive_errors_total', 'Errors on the way to the guest.', tap => tap.txErrors),
  networkFamily('receive_packets_dropped_total', 'Packets dropped on the way to the guest.', tap => tap.txDropped),
  networkFamily('transmit_bytes_total', 'Bytes that the guest has sent.', tap => tap.rxBytes),
  networkFamily('transmit_packets_total', 'Packets that the guest has sent.', tap => tap.rxPackets),
  networkFamily('transmit_errors_total', 'Errors on the way from the guest.', tap => tap.rxErrors),
  networkFamily('transmit_packets_dropped_total', 'Packets dropped on the way from the guest.', tap => tap.rxDropped),
];

const panic = family('counter', 'guest_os_panic_total', 'Panics that the guest has reported.', ({panicked}) =>
  one(panicked ? 1 : 0),
);

export const guestFamilies: readonly Family[] = [info, panic, ...cpu, ...memory, ...storage, ...network];
