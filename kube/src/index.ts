/** A controller kit with controller-runtime's semantics. It knows Kubernetes and no VM. */
export {type Clock, pause, systemClock} from './clock.ts';
export {
  ApiError,
  CallTimeoutError,
  ConfigError,
  isConflict,
  KubeError,
  type KubeErrorCode,
  LeaseLostError,
  MalformedError,
  type StatusBody,
  SyncTimeoutError,
  TerminalError,
  TransportError,
} from './errors.ts';
export * from './objects.ts';
export {
  apiVersionOf,
  coordination,
  core,
  defineResource,
  policy,
  type Resource,
  storage,
} from './resources.ts';
