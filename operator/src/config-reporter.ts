import {type Config, ConfigObject, EventReason} from '@wherry/api';
import {type Client, core, type EventRecorder, type Live, type Log} from '@wherry/kube';

export interface ConfigReporterOptions {
  readonly client: Pick<Client, 'get'>;
  readonly events: Pick<EventRecorder, 'event'>;
  readonly config: Live<Config>;
  /** Where the ConfigMap lies. */
  readonly namespace: string;
  readonly log: Log;
}

/** Says on the ConfigMap, for `kubectl describe`, whether its last change was taken, and if not, why. */
export class ConfigReporter {
  readonly #options: ConfigReporterOptions;
  #refused = false;
  /** Reports go one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: ConfigReporterOptions) {
    this.#options = options;
    options.config.onRefused(error => {
      this.#refused = true;
      this.#queue('Warning', EventReason.ConfigRefused, `${error.message}; the configuration before stays in force`);
    });
    options.config.onChange(() => {
      if (this.#refused) this.#queue('Normal', EventReason.ConfigReloaded, 'the configuration is in force again');
      this.#refused = false;
    });
  }

  /** Resolves when all reports so far are handed on. */
  async flush(): Promise<void> {
    await this.#last;
  }

  #queue(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#last = this.#last.then(() => this.#report({type, reason, message}));
  }

  /** Without the object's uid `kubectl describe` would not find the event. */
  async #report(note: {type: 'Normal' | 'Warning'; reason: string; message: string}): Promise<void> {
    const {client, events, namespace, log} = this.#options;
    try {
      const object = await client.get(core.configMaps, {namespace, name: ConfigObject.name});
      if (object !== undefined) events.event(object, note);
    } catch (error) {
      log.debug({reason: note.reason, err: error}, 'event about the configuration not written');
    }
  }
}
