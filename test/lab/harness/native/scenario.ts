/** What a guest of the native engine goes through in a lab node: steps in, what came of them out. */

export interface Scenario {
  /** `wherry-vmm`, by its path in the node, like all that follow. */
  readonly vmm: string;
  readonly kernel: string;
  readonly initrd?: string;
  readonly commandLine: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Root ports without a device. Defaults to 4. */
  readonly sparePorts?: number;
  readonly devices: readonly Device[];
  readonly steps: readonly Step[];
}

/** As the engine's description has it, but for its descriptors, which are opened in the node. */
export interface Device {
  readonly kind: string;
  /** What it works on. */
  readonly path?: string;
  /** Name of a tap, which is made, is up, and has this address of the node. */
  readonly tap?: string;
  readonly address?: string;
  /** The kernel carries its frames. */
  readonly vhost?: boolean;
  readonly [more: string]: unknown;
}

/** In ms; defaults to 60,000. Nothing is waited for longer. */
interface Bounded {
  readonly timeoutMs?: number;
}

export type Step =
  /** Waits until the console has said this, a regular expression, since the last match; gives its first group, or all of it. */
  | ({readonly expect: string} & Bounded)
  /** Types it at the console. */
  | {readonly type: string}
  /** A command of the control protocol; gives its answer. */
  | ({readonly command: string; readonly arguments?: object} & Bounded)
  /** Waits for an event that has not been waited for; gives it. */
  | ({readonly event: string} & Bounded)
  /** Runs a program of the node to its end, which is to be a good one; gives what it wrote. */
  | ({readonly run: readonly string[]} & Bounded)
  /** Has a thread of the engine, by its name, make a system call; gives what came of it, as `inject.ts` says it. */
  | {readonly inject: {readonly thread: string; readonly call: string}}
  /** Gives what the engine needs, as `Use`. */
  | {readonly use: true}
  /** Waits until the engine has ended; gives its exit code. */
  | ({readonly ended: true} & Bounded);

/** Of the engine's process. */
export interface Use {
  /** KiB of its own, shared memory in proportion, beside the guest's RAM. */
  readonly besideKiB: number;
  readonly threads: readonly string[];
  readonly descriptors: number;
}

export interface Outcome {
  /** Of each step that was done, in their order. */
  readonly results: readonly unknown[];
  /** Why the next step was not done. */
  readonly problem?: string;
  readonly console: string;
  readonly events: readonly string[];
  /** What the engine wrote to its log. */
  readonly log: string;
  /** Seconds from the engine's start to the end of each step. */
  readonly seconds: readonly number[];
}
