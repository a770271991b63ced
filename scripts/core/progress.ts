/** What a person sees while a script works: what is being done, and how long it took. */
export interface Progress {
  /** A line for the reader. */
  note(text: string): void;
  /** Does `work` under a title, and says how long it took. `say` replaces what a long step says of itself meanwhile. */
  step<T>(title: string, work: (say: (doing: string) => void) => Promise<T>): Promise<T>;
}

export interface ProgressOptions {
  /** Takes whole lines. Defaults to stderr. */
  write?: (line: string) => void;
  /** In ms. Defaults to a monotonic clock. */
  now?: () => number;
  /** How often a step that still runs says so. Defaults to 15,000 ms. */
  heartbeatMs?: number;
}

export function progress(options: ProgressOptions = {}): Progress {
  const {
    write = line => void process.stderr.write(`${line}\n`),
    now = () => performance.now(),
    heartbeatMs = 15_000,
  } = options;
  return {
    note: text => write(`  ${text}`),
    async step(title, work) {
      const started = now();
      const taken = (): string => seconds(now() - started);
      let doing = '';
      write(`▸ ${title}`);
      const heartbeat = setInterval(() => write(`  … ${taken()}${doing && `: ${doing}`}`), heartbeatMs);
      try {
        const result = await work(text => {
          doing = text;
        });
        write(`✓ ${title} (${taken()})`);
        return result;
      } catch (error) {
        write(`✗ ${title} failed (${taken()})`);
        throw error;
      } finally {
        clearInterval(heartbeat);
      }
    },
  };
}

/** For callers that must not print, such as tests. */
export const silent: Progress = {note: () => undefined, step: (_title, work) => work(() => undefined)};

/** 0.4 s, 12.3 s, 2 min 5 s. */
export function seconds(ms: number): string {
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
