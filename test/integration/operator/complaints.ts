/** What the operators of a test warn of: a wait that is in vain says it too. */
import type {Log} from '@wherry/kube';

const LAST = 30;
const remembered: string[] = [];

const remember = (fields: object, message: string): void => {
  const {err} = fields as {err?: Error};
  remembered.push(`${new Date().toISOString()} ${message}: ${err?.stack ?? JSON.stringify(fields)}`);
  if (remembered.length > LAST) remembered.shift();
};

export const complaining: Log = {debug: () => undefined, info: () => undefined, warn: remember, error: remember};

/** The last of them, each with its time, behind the time now. */
export const complaints = (): string =>
  [`at ${new Date().toISOString()}, the operators' last warnings:`, ...remembered].join('\n');
