/** What can be booted from. */
interface Candidate {
  /** Lower ones are tried first. */
  readonly bootOrder?: number | undefined;
}

interface DiskCandidate extends Candidate {
  readonly source: {readonly from: string};
}

/** By the place of the device in its list: the firmware tries the lowest index first, and nothing without one. */
export interface BootIndices {
  readonly disks: readonly (number | undefined)[];
  readonly interfaces: readonly (number | undefined)[];
}

/** Whether any device says when it is booted from. */
export const isBootOrdered = (disks: readonly Candidate[], interfaces: readonly Candidate[]): boolean =>
  [...disks, ...interfaces].some(({bootOrder}) => bootOrder !== undefined);

/**
 * KubeVirt's rule: where any device has a boot order, those with one alone are booted from. Where none has, the disks are
 * tried as they are listed, but for those that are made anew at each start and hold no system.
 */
export const bootIndices = (disks: readonly DiskCandidate[], interfaces: readonly Candidate[]): BootIndices =>
  isBootOrdered(disks, interfaces)
    ? {disks: disks.map(({bootOrder}) => bootOrder), interfaces: interfaces.map(({bootOrder}) => bootOrder)}
    : {
        disks: disks.map(({source}, index) => (source.from === 'seed' ? undefined : index + 1)),
        interfaces: interfaces.map(() => undefined),
      };
