/** The contract of Wherry: what users, operator and node-daemon agree on. No I/O. */
export * from './config.ts';
export * from './constants/index.ts';
export {type ApiErrorCode, ContractError} from './errors.ts';
export * from './machine/index.ts';
export {
  customResourceDefinition,
  type JsonSchema,
  type Kind,
  type ObjectMeta,
  type OwnerReference,
  type Quantity,
  type Refusal,
  type Refusals,
  refusalMessage,
  type Rule,
} from './schema/index.ts';
export * from './v1/index.ts';
export * from './wire/daemon-lease.ts';
export * from './wire/launcher.ts';
export * from './wire/pod-layout.ts';
