/** JSON of peers that may be hostile, parsed in bounded time. */
import {DaemonError} from '../errors.ts';

/**
 * Most values in one text. What costs time is not bytes but values: 1 MiB of `[` takes V8 150 ms, in which no other guest is
 * served; so many take 15 ms at worst. The answer about a guest with 64 disks and 256 vCPUs has a third of it.
 */
export const MAX_VALUES = 32_768;

const COMMA = 0x2c;
const COLON = 0x3a;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Not fewer values than the text has: each begins it or follows one of these; those inside of strings count as well. */
export const valuesIn = (text: Uint8Array): number => {
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === COMMA || byte === COLON || byte === BRACKET || byte === BRACE) values++;
  }
  return values;
};

const strictUtf8 = new TextDecoder('utf-8', {fatal: true});

/** @throws DaemonError PROTOCOL with `who` sent it: it has too many values, or is no JSON */
export const parseUntrusted = (text: Uint8Array, who: string): unknown => {
  const values = valuesIn(text);
  if (values > MAX_VALUES) throw new DaemonError('PROTOCOL', `${who} sent JSON with more than ${MAX_VALUES} values`);
  try {
    return JSON.parse(strictUtf8.decode(text));
  } catch (error) {
    throw new DaemonError('PROTOCOL', `${who} sent what is no JSON`, {cause: error});
  }
};
