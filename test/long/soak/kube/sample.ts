/** Sizes in bytes, after garbage collection. */
export interface Sample {
  readonly reconnects: number;
  readonly heapUsed: number;
  /** Outside the heap: buffers, sockets. */
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  /** On the signal that lives as long as the process. */
  readonly listeners: number;
  /** Sockets, timers and the like that keep the process alive. */
  readonly handles: number;
}
