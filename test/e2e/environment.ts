import {join} from 'node:path';

/** Written by the set-up, read by every test file. */
export const environmentFile: string = join(import.meta.dirname, '../../.wherry/e2e.json');
