/** The guest's clock. */
import type {Args} from './args.ts';

export const clockArgs = (): Args => ['-rtc', 'base=utc,driftfix=slew'];
