/** The environment keeps the operator from starting. The message names the variable to set. */
export class SettingsError extends Error {
  readonly code = 'OPERATOR_SETTINGS';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SettingsError';
  }
}
