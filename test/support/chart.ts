import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {run} from '../../scripts/core/command.ts';
import {repository} from '../../scripts/core/paths.ts';
import {progress} from '../../scripts/core/progress.ts';
import {tools} from '../../scripts/toolchain/tools.ts';
import type {ControlPlane} from './control-plane.ts';
import {eventually} from './eventually.ts';

/** The folder of the chart. */
export const chart = join(repository, 'helm');

/** The name of the release, and its namespace. */
export const release = 'wherry';

const {helm: program} = await tools(progress());

/** Runs helm without a cluster. */
export const helmAlone = (...args: string[]): Promise<string> =>
  run(program, args, {env: {KUBECONFIG: '/nonexistent'}});

/** An object of the chart. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly annotations?: Readonly<Record<string, string>>};
}

/** A real control plane, which no controllers run in, with helm and kubectl for it. */
export class ChartTarget {
  readonly control: ControlPlane;

  constructor(control: ControlPlane) {
    this.control = control;
  }

  helm(...args: string[]): Promise<string> {
    return run(program, args, {env: this.#env});
  }

  /** Installs the chart, or that of another folder, and waits until its kinds are served, which helm does not. */
  async install(args: readonly string[] = [], folder = chart): Promise<string> {
    const said = await this.helm('install', release, folder, '--namespace', release, '--create-namespace', ...args);
    await eventually(() => this.kubectl('get', 'vm,vmi', '-A'), {timeoutMs: 30_000});
    return said;
  }

  upgrade(args: readonly string[] = [], folder = chart): Promise<string> {
    return this.helm('upgrade', release, folder, '--namespace', release, ...args);
  }

  /** Without hooks: no controller would run their jobs. */
  uninstall(): Promise<string> {
    return this.helm('uninstall', release, '--namespace', release, '--no-hooks');
  }

  /** Makes what helm makes for a hook, its account and rights, but for what runs. */
  async applyHook(hook: string, ...args: string[]): Promise<void> {
    const text = await helmAlone('template', release, chart, '--namespace', release, ...args);
    const objects = parseAllDocuments(text).map(one => one.toJS() as Rendered | null);
    const made = objects.filter(one => one?.metadata.annotations?.['helm.sh/hook'] === hook);
    if (made.length < 2) throw new Error(`the chart has nothing for the hook ${hook}`);
    const items = made.filter(one => one?.kind !== 'Job' && one?.kind !== 'Pod');
    await this.apply({apiVersion: 'v1', kind: 'List', items});
  }

  kubectl(...args: string[]): Promise<string> {
    return run(this.control.kubectl, args, {env: this.#env});
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl(...args, '-o', 'json')) as T;
  }

  apply(object: object, ...args: string[]): Promise<string> {
    return run(this.control.kubectl, ['apply', '-f', '-', ...args], {env: this.#env, input: JSON.stringify(object)});
  }

  get #env(): {KUBECONFIG: string} {
    return {KUBECONFIG: this.control.kubeconfig};
  }
}
