/** A reconciler with everything around it that it works on: real sockets and files, and an API that keeps what is written. */
import {existsSync} from 'node:fs';
import {test as always} from '@jest/globals';
import type {Condition, InstanceStatus, VirtualMachineInstance} from '@wherry/api';
import {systemClock} from '@wherry/kube';
import {libraryPath, loadHost, type PeerCredentials} from '@wherry/native';
import {engines} from '../engine/engines.ts';
import {GuestReconciler} from '../guest/reconciler.ts';
import type {AgentFacts} from '../guest/status.ts';
import {FakeLauncher, type FakeLauncherOptions, FakePod} from './fake-launcher.ts';
import {instance, UID} from './instances.ts';
import {quietLog} from './quiet-log.ts';

/** Without the native library no guest can be reconciled. */
export const built: boolean = existsSync(libraryPath());
if (!built) console.log('guests are not reconciled: libwherry.so is missing, build it with cargo build --release');
export const testBuilt: typeof always | typeof always.skip = built ? always : always.skip;

export const POD = '11111111-2222-4333-8444-555555555555';
export const KEY = {namespace: 'default', name: 'guest'};

export const conditionOf = (vmi: VirtualMachineInstance | undefined, type: string): Condition | undefined =>
  vmi?.status?.conditions?.find(one => one.type === type);

/** A node with one pod, and an API that holds one instance and keeps what is written. */
export class Node implements AsyncDisposable {
  readonly pod = new FakePod(POD);
  vmi: VirtualMachineInstance | undefined;
  readonly writes: InstanceStatus[] = [];
  readonly told: string[] = [];
  started = 0;
  /** What the API server has where the cache of this node has nothing: an instance on another node. */
  elsewhere: VirtualMachineInstance | undefined;
  asked = 0;
  /** The kernel knows processes of the pod. */
  processes = false;
  woken = 0;
  /** Those of them that may wait. */
  wokenLater = 0;
  now = 1_000_000;
  agent: (signal: AbortSignal) => Promise<AgentFacts> = async () => ({os: {id: 'debian'}, interfaceNames: new Map()});
  onStart: () => Promise<void> = async () => {};
  peerProblem: (peer: PeerCredentials) => string | undefined = () => undefined;
  launcher: FakeLauncher | undefined;
  /** For one answer of a launcher; a new reconciler takes it. */
  timeoutMs: number | undefined;
  reconciler: GuestReconciler;

  constructor(status: InstanceStatus) {
    this.vmi = instance({status: {nodeName: 'n1', activePods: {[POD]: 'n1'}, ...status}});
    this.reconciler = this.newReconciler();
  }

  newReconciler(): GuestReconciler {
    return new GuestReconciler({
      node: 'n1',
      instances: {
        get: () => this.vmi,
        ask: async () => {
          this.asked++;
          return this.elsewhere ?? this.vmi;
        },
        patchStatus: async (vmi, status) => {
          this.writes.push(status);
          this.vmi = {...vmi, status: {...vmi.status, ...status}};
        },
      },
      start: () => {
        this.started++;
        return this.onStart();
      },
      sources: {
        podNetwork: async () => ({addresses: ['10.244.1.7'], mtu: 1450}),
        agent: (_folder, signal) => this.agent(signal),
      },
      engines,
      link: {
        host: loadHost(),
        pods: this.pod.pods,
        peerProblem: peer => this.peerProblem(peer),
        podHasProcesses: async () => this.processes,
        ...(this.timeoutMs === undefined ? {} : {timeoutMs: this.timeoutMs}),
      },
      wake: (_key, afterMs = 0) => {
        this.woken++;
        if (afterMs > 0) this.wokenLater++;
      },
      tell: (_vmi, what) => this.told.push(what),
      clock: {...systemClock, now: () => this.now, monotonic: () => this.now},
      log: quietLog,
    });
  }

  async listen(options: Partial<FakeLauncherOptions> = {}): Promise<FakeLauncher> {
    this.launcher = await FakeLauncher.listen(this.pod, {uid: UID, state: 'Idle', ...options});
    return this.launcher;
  }

  turn() {
    return this.reconciler.reconcile(KEY, new AbortController().signal);
  }

  /** Waits for something that comes by an event. */
  async until(holds: () => boolean): Promise<void> {
    const end = Date.now() + 2000;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`never: ${holds.toString()}`);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reconciler.close();
    await this.launcher?.close();
    this.pod[Symbol.dispose]();
  }
}
