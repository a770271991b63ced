import {run} from '../node/run.ts';

export interface RulesOptions {
  /** Path of `wherry-netns`, which enters the namespace and becomes another program. */
  readonly netnsProgram: string;
  readonly signal: AbortSignal;
}

/** `nft` takes some 10 ms; on a node that swaps it may take seconds. */
const TIMEOUT_MS = 10_000;

/**
 * Gives these rules to `nft` inside the network namespace behind the descriptor, which stays the caller's.
 * @throws DaemonError PROGRAM_FAILED with what nft said
 */
export const applyRules = async (netns: number, rules: string, options: RulesOptions): Promise<void> => {
  await run(options.netnsProgram, ['3', '--', 'nft', '-f', '-'], {
    input: rules,
    descriptors: [netns],
    timeoutMs: TIMEOUT_MS,
    signal: options.signal,
  });
};
