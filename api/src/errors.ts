/** Every error that this package throws. `code` is stable; the message names the object and the remedy. */

export type ApiErrorCode = 'QUANTITY_INVALID' | 'MEMORY_MISSING' | 'CONFIG_INVALID' | 'REFUSAL_MISPLACED';

export class ContractError extends Error {
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ContractError';
    this.code = code;
  }
}

export const invalidQuantity = (value: unknown): ContractError =>
  new ContractError(
    'QUANTITY_INVALID',
    `${JSON.stringify(value)} is not a quantity: write a number with an optional unit, as 512Mi, 2G or 500m`,
  );

export const missingMemory = (): ContractError =>
  new ContractError('MEMORY_MISSING', 'the spec says no memory: give domain.memory.guest, as 512Mi');

export const invalidConfig = (problems: readonly string[], cause?: unknown): ContractError =>
  new ContractError('CONFIG_INVALID', `the configuration of Wherry is not valid: ${problems.join('; ')}`, {cause});

export const refusalMisplaced = (path: string, why: string): ContractError =>
  new ContractError('REFUSAL_MISPLACED', `the refusal of ${path} has no place in the schema: ${why}`);
