/** A node without a cluster: the real daemon with the real native library, and a stand-in for the API. */
import {randomUUID} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Annotation, parseConfig, virtualMachineInstanceKind} from '@wherry/api';
import {Client, EventRecorder, fixed, type Log, systemClock} from '@wherry/kube';
import {loadHost} from '@wherry/native';
import {Daemon, type Settings} from '@wherry/node-daemon';
import {Registry} from 'prom-client';
import {FakeVmPod, type PodPrograms} from '../support/fake-node.ts';
import {tinyInstanceSpec} from '../support/guests.ts';
import {ApiStandIn} from './api-stand-in.ts';
import {withDefaults} from './defaults.ts';
import {Guest} from './guest.ts';
import type {Story, Subject} from './story.ts';

/** Paths of everything that is tested. */
export interface Kit extends PodPrograms {
  /** Defaults to the checkout's. */
  readonly library?: string;
  readonly selfTest: string;
  readonly netns: string;
}

export interface GuestOptions extends Pick<Story, 'guest' | 'claims'> {
  /** Path of the control group of its pod. */
  readonly cgroup?: string;
}

const NODE = 'conformance';
const IMAGE = 'unused';

export class Stage implements AsyncDisposable {
  readonly subject: Subject;
  readonly api: ApiStandIn;
  readonly #kit: Kit;
  readonly #pods: string;
  readonly #log: Log;
  #daemon: {readonly daemon: Daemon; readonly stop: () => Promise<void>} | undefined;

  private constructor(subject: Subject, kit: Kit, api: ApiStandIn, pods: string, log: Log) {
    this.subject = subject;
    this.#kit = kit;
    this.api = api;
    this.#pods = pods;
    this.#log = log;
  }

  static async start(subject: Subject, kit: Kit, log: Log): Promise<Stage> {
    const pods = await mkdtemp(join(tmpdir(), 'wherry-pods-'));
    const stage = new Stage(subject, kit, await ApiStandIn.start(NODE), pods, log);
    stage.startDaemon();
    return stage;
  }

  /** @throws Error while it does not run */
  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('the daemon does not run');
    return this.#daemon.daemon;
  }

  startDaemon(): void {
    const {selfTest, netns, library} = this.#kit;
    const log = this.#log;
    const settings: Settings = {
      node: NODE,
      pods: this.#pods,
      library,
      selfTest,
      netns,
      healthPort: 0,
      metricsPort: 0,
      configPath: '',
      namespace: 'wherry',
      pod: NODE,
      leaseSeconds: 40,
    };
    const registry = new Registry();
    const client = new Client({kubeConfig: this.api.kubeConfig, userAgent: 'conformance', registry});
    const recorder = new EventRecorder({client, component: 'wherry-node-daemon', host: NODE, log});
    const config = fixed(parseConfig(JSON.stringify({launcherImage: IMAGE})));
    const parts = {settings, config, host: loadHost(library), client, recorder, registry, clock: systemClock, log};
    const daemon = new Daemon(parts);
    const stopping = new AbortController();
    const ended = daemon.run(stopping.signal);
    this.#daemon = {
      daemon,
      stop: async () => {
        stopping.abort();
        await ended;
      },
    };
  }

  /** Guests run on. */
  async stopDaemon(): Promise<void> {
    const running = this.#daemon;
    this.#daemon = undefined;
    await running?.stop();
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.daemon.manager.ports?.metrics}/metrics`);
    return response.text();
  }

  /** A pod and the instance that is handed over to this node with it, as the operator does it. */
  async guest(name: string, {guest = {}, claims = [], cgroup}: GuestOptions): Promise<Guest> {
    const [podUid, uid] = [randomUUID(), randomUUID()];
    const {accelerator, engine} = this.subject;
    const place = {pods: this.#pods, ...(cgroup === undefined ? {} : {cgroup})};
    const pod = await FakeVmPod.start(this.#kit, {podUid, instanceUid: uid, name, claims, ...place});
    const persistentVolumeClaimInfo = {capacity: {storage: '16Mi'}};
    this.api.put({
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      metadata: {name, namespace: 'default', uid, annotations: {[Annotation.engine]: engine}},
      spec: withDefaults(virtualMachineInstanceKind.spec.json, tinyInstanceSpec(IMAGE, guest)),
      status: {
        phase: 'Scheduled',
        engine: {name: engine, version: '', reason: `asked for by the annotation ${Annotation.engine}`},
        nodeName: NODE,
        activePods: {[podUid]: NODE},
        volumeStatus: claims.map(claim => ({name: claim, target: '', persistentVolumeClaimInfo})),
        conditions:
          accelerator === 'tcg'
            ? [{type: 'SoftwareEmulation', status: 'True', reason: 'NoHardwareVirtualization'}]
            : [],
      },
    });
    return new Guest(name, pod, this);
  }

  /** With its pod, whatever has become of it. */
  async remove({name, pod}: Guest): Promise<void> {
    await pod.stop();
    this.api.remove(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopDaemon();
    await this.api[Symbol.asyncDispose]();
    await rm(this.#pods, {recursive: true, force: true});
  }
}
