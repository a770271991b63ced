/** A hook of the chart ends without success. The message is for the person at helm and says what to do. */
export class HookError extends Error {
  readonly code = 'OPERATOR_HOOK';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HookError';
  }
}
