import {invalidQuantity} from '../errors.ts';
import type {Quantity} from '../schema/index.ts';

const NANO = 1_000_000_000n;

/** What one unit is worth, in billionths. */
const units: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1_000n,
  m: 1_000_000n,
  '': NANO,
  k: NANO * 10n ** 3n,
  M: NANO * 10n ** 6n,
  G: NANO * 10n ** 9n,
  T: NANO * 10n ** 12n,
  P: NANO * 10n ** 15n,
  E: NANO * 10n ** 18n,
  Ki: NANO << 10n,
  Mi: NANO << 20n,
  Gi: NANO << 30n,
  Ti: NANO << 40n,
  Pi: NANO << 50n,
  Ei: NANO << 60n,
};

const form =
  /^\+?(?<whole>\d*)(?:\.(?<fraction>\d*))?(?:(?<unit>[KMGTPE]i|[numkMGTPE])|[eE](?<exponent>[-+]?\d{1,2}))?$/;

const ceilingDivide = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** The value in billionths, rounded up: exact for every quantity that Kubernetes itself can hold. */
const nanos = (quantity: Quantity): bigint => {
  const groups = form.exec(String(quantity))?.groups;
  const digits = `${groups?.['whole'] ?? ''}${groups?.['fraction'] ?? ''}`;
  if (groups === undefined || digits === '') {
    throw invalidQuantity(quantity);
  }
  const power = BigInt(groups['exponent'] ?? 0) - BigInt(groups['fraction']?.length ?? 0);
  const scaled = BigInt(digits) * units[groups['unit'] ?? '']!;
  return power >= 0n ? scaled * 10n ** power : ceilingDivide(scaled, 10n ** -power);
};

const inUnitsOf = (quantity: Quantity, unit: bigint): number => {
  const value = Number(ceilingDivide(nanos(quantity), unit));
  if (!Number.isSafeInteger(value)) {
    throw invalidQuantity(quantity);
  }
  return value;
};

/**
 * The bytes that a memory or storage quantity means, rounded up. @throws ContractError QUANTITY_INVALID, also above 8 PiB,
 * where numbers are no longer exact.
 */
export const bytesOf = (quantity: Quantity): number => inUnitsOf(quantity, NANO);

/** The thousandths of a CPU that a quantity means, rounded up. @throws ContractError QUANTITY_INVALID */
export const millicoresOf = (quantity: Quantity): number => inUnitsOf(quantity, units['m']!);

/** A quantity of exactly so many bytes, in the largest binary unit that is exact: 134217728 is 128Mi. */
export const quantityOfBytes = (bytes: number): string => {
  const exact = ['Ti', 'Gi', 'Mi', 'Ki'].find(unit => bytes > 0 && bytes % Number(units[unit]! / NANO) === 0);
  return exact === undefined ? String(bytes) : `${bytes / Number(units[exact]! / NANO)}${exact}`;
};
