import {join} from 'node:path';

const written = join(import.meta.dirname, '../../.wherry');

/** Written by the set-up, read by every test file. */
export const environmentFile: string = join(written, 'e2e.json');

/** The same for the cluster whose nodes the slow proofs break. */
export const faultsEnvironmentFile: string = join(written, 'faults.json');
