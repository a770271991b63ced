import {
  bytesOf,
  type Config,
  guestMemoryBytes,
  type InstanceSpec,
  type Quantity,
  quantityOfBytes,
  vcpuCount,
  videoType,
} from '@wherry/api';
import {overheadBytes} from './overhead.ts';
import type {Runner} from './runner.ts';

type Quantities = Record<string, string>;

/** What the cluster's configuration says about reservations. */
export type Allocation = Pick<Config, 'cpuAllocationRatio' | 'memoryOvercommit'>;

/**
 * Requests and limits of the pod. What the user asked for is for the guest: the overhead comes on top. Without a
 * memory request the whole guest is reserved, or the part of it that the cluster's overcommitment leaves; without a limit
 * there is none.
 */
export const podResources = (
  spec: InstanceSpec,
  {accelerator, engine}: Pick<Runner, 'accelerator' | 'engine'>,
  {cpuAllocationRatio, memoryOvercommit}: Allocation,
): {requests: Quantities; limits?: Quantities} => {
  const {requests = {}, limits = {}} = spec.domain.resources ?? {};
  const guestBytes = guestMemoryBytes(spec.domain);
  const vcpus = vcpuCount(spec.domain);
  const graphics = videoType(spec.domain) !== undefined;
  const efi = spec.domain.firmware?.bootloader?.efi !== undefined;
  const overhead = overheadBytes({engine, accelerator, vcpus, guestBytes, graphics, efi});
  const asked = requests['memory'] ?? (spec.domain.memory?.guest === undefined ? limits['memory'] : undefined);
  const memory = asked === undefined ? Math.ceil((guestBytes * 100) / memoryOvercommit) : bytesOf(asked);
  const cpu = requests['cpu'] ?? limits['cpu'] ?? `${Math.ceil((vcpus * 1000) / cpuAllocationRatio)}m`;
  return {
    requests: {...text(requests), cpu: String(cpu), memory: quantityOfBytes(memory + overhead)},
    ...(Object.keys(limits).length === 0 ? {} : {limits: podLimits(limits, overhead)}),
  };
};

const podLimits = (limits: Readonly<Record<string, Quantity>>, overhead: number): Quantities => ({
  ...text(limits),
  ...(limits['memory'] === undefined ? {} : {memory: quantityOfBytes(bytesOf(limits['memory']) + overhead)}),
});

/** The API lets quantities be numbers; the pod gets them as text. */
const text = (quantities: Readonly<Record<string, Quantity>>): Quantities =>
  Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, String(value)]));
