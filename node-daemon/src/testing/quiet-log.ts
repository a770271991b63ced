import type {Log} from '../log.ts';

export const quietLog: Log = {debug: () => {}, info: () => {}, warn: () => {}, error: () => {}};
