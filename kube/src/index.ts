/** A controller kit with controller-runtime's semantics. It knows Kubernetes and no VM. */
export {Client} from './client/client.ts';
export {fromKubeconfig, inCluster, type KubeConfig, loadKubeConfig, type TlsMaterial} from './client/kube-config.ts';
export type {ClientOptions, DeleteOptions, Page, Selection, WriteOptions} from './client/options.ts';
export type {OwnWrite} from './client/writes.ts';
export type {WatchEvent} from './client/watch-stream.ts';
export {type Clock, pause, systemClock} from './clock.ts';
export {fixed, type Live, LiveFile, type LiveFileOptions} from './config/live-file.ts';
export {Controller, type ControllerOptions, type Result} from './controller/controller.ts';
export {mapped, owned, type Predicate, type Source, watching} from './controller/source.ts';
export {Heartbeat, type HeartbeatOptions} from './election/heartbeat.ts';
export {LeaseElection, type LeaseElectionOptions} from './election/lease-election.ts';
export {
  ApiError,
  CallTimeoutError,
  ConfigError,
  isConflict,
  KubeError,
  type KubeErrorCode,
  LeaseLostError,
  MalformedError,
  StaleCacheError,
  type StatusBody,
  StopTimeoutError,
  SyncTimeoutError,
  TerminalError,
  TransportError,
} from './errors.ts';
export {EventRecorder, type EventRecorderOptions, type Note} from './events/recorder.ts';
export type {Log} from './log.ts';
export type {Check} from './manager/http-server.ts';
export {Manager, type ManagerOptions, type Runnable} from './manager/manager.ts';
export {counter, gauge, histogram, latencyBuckets} from './metrics.ts';
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
export {Cache, type CacheOptions, type ChangeListener} from './reflector/cache.ts';
export type {Change, Indexer} from './reflector/store.ts';
export {BackOff, type BackOffOptions, type RateLimiter} from './queue/rate-limiter.ts';
export {type QueueObserver, WorkQueue, type WorkQueueOptions} from './queue/work-queue.ts';
