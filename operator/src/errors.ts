/** The environment or the configuration file keeps the operator from starting. The message names what to set. */
export class SettingsError extends Error {
  readonly code = 'OPERATOR_SETTINGS';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SettingsError';
  }
}
