/** CPUs of the guest. */
import {integer, object, optional} from '../schema/index.ts';

/** Above this number of vCPUs x86 needs interrupt remapping, which the machine does not have. */
const MAX_VCPUS = 254;

const topology = (description: string) => integer(`${description} Defaults to 1.`, {minimum: 1, maximum: MAX_VCPUS});

export const cpu = object(
  'CPUs of the guest: sockets × cores × threads of them.',
  {
    cores: optional(topology('Cores of one socket.')),
    sockets: optional(topology('Sockets.')),
    threads: optional(topology('Threads of one core.')),
  },
  {
    rules: [
      {
        rule: `self.?cores.orValue(1) * self.?sockets.orValue(1) * self.?threads.orValue(1) <= ${MAX_VCPUS}`,
        message: `sockets × cores × threads must be at most ${MAX_VCPUS}`,
      },
    ],
  },
);
