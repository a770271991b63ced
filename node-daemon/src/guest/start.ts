/** Starts one guest: its network, its descriptors, its plan. Safe to repeat after a crash at any line. */
import {type Accelerator, Annotation, type Plan, PodLayout, type VirtualMachineInstance} from '@wherry/api';
import {type Host, isNativeError} from '@wherry/native';
import type {Engines} from '../engine/engines.ts';
import {DaemonError, unsupportedMachine} from '../errors.ts';
import {RefusedError} from '../launcher/connection.ts';
import {decodeFrame, encodeFrame} from '../launcher/frames.ts';
import {messageOf} from '../launcher/shapes.ts';
import {effectiveMachine, type EffectiveMachine} from '../machine/effective-machine.ts';
import type {MachineInterface} from '../machine/interfaces.ts';
import {isInside} from '../machine/masquerade.ts';
import {applyRules} from '../network/apply-rules.ts';
import {masqueradeRules} from '../network/masquerade-rules.ts';
import {POD_INTERFACE, type PodNetwork, podNetworkOf} from '../network/pod-network.ts';
import {openBlockDevices} from './block-devices.ts';
import type {PodLink} from './pod-link.ts';
import {engineOf} from './selection.ts';
import type {Semaphore} from './semaphore.ts';

/** For the launcher to take a plan: it only looks at it before it answers. */
const HAND_OVER_MS = 2000;

export interface Starter {
  readonly host: Host;
  readonly engines: Engines;
  /** Path of `wherry-netns`. */
  readonly netnsProgram: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether the serial console goes to the pod's log where the instance does not say. */
  readonly logConsole: boolean;
  /** Bounds the starts that the node works on at once; launchers that do not answer are waited for outside of it. */
  readonly places: Semaphore;
}

/**
 * Hands the guest to its launcher. Returns when the launcher has taken the plan; its files are made afterwards.
 * @throws DaemonError UNSUPPORTED_MACHINE, NOT_READY, REFUSED, PROGRAM_FAILED; NativeError
 */
export const startGuest = async (
  starter: Starter,
  vmi: VirtualMachineInstance,
  accelerator: Accelerator,
  link: PodLink,
  signal: AbortSignal,
): Promise<Plan> => {
  const {host, places} = starter;
  using descriptors = new Descriptors(host);
  const plan = await places.run(() => prepare(starter, vmi, accelerator, link, descriptors, signal));
  await handOver(host, link, plan, descriptors);
  return plan;
};

/** Everything that the plan needs on the node. */
const prepare = async (
  {host, engines, netnsProgram, now, logConsole}: Starter,
  vmi: VirtualMachineInstance,
  accelerator: Accelerator,
  link: PodLink,
  descriptors: Descriptors,
  signal: AbortSignal,
): Promise<Plan> => {
  signal.throwIfAborted();
  const netns = descriptors.own(host.netnsOf(link.process));
  const pod = podNetworkOf(await host.linkInfo(netns, POD_INTERFACE));
  const facts = {
    accelerator,
    mtu: pod.mtu,
    vhost: accelerator === 'kvm' && hasVhost(host),
    logConsole,
    launcherLooks: link.view.at === 'connected' && link.view.protocol >= 2,
  };
  const {disks} = effectiveMachine(vmi, facts);
  const engine = engines[engineOf(vmi)];
  const devices = await openBlockDevices(host, link.process, disks, engine.capabilities.alignsIo, (index, fd) =>
    descriptors.name(`disk${index}`, fd),
  );
  const machine = effectiveMachine(vmi, {...facts, devices});
  const plan = engine.plan(machine, now());
  await allDone([
    setUpInterfaces(host, netns, machine, descriptors),
    ...machine.interfaces.map(one =>
      applyRules(netns, masqueradeRules({...one, podAddress: podAddressFor(one, pod)}), {netnsProgram, signal}),
    ),
  ]);
  if (accelerator === 'kvm') descriptors.name('kvm', host.openDevice('/dev/kvm'));
  return plan;
};

/** Unlike Promise.all it waits for the others when one fails: they use descriptors that are closed afterwards. */
const allDone = async (work: readonly Promise<void>[]): Promise<void> => {
  const failed = (await Promise.allSettled(work)).find(result => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
};

/** The pod's first IPv4 address, by which the world reaches the guest. */
const podAddressFor = ({addresses}: MachineInterface, {addresses: [first]}: PodNetwork): string => {
  if (first === undefined)
    throw new DaemonError('NOT_READY', `${POD_INTERFACE} of the pod has no IPv4 address: masquerade needs one`);
  if (isInside(addresses, first))
    throw unsupportedMachine(
      `the pod has the address ${first}, inside the guest's own network ${addresses.gateway}/${addresses.prefixLength}: give the guest another one in networks[].pod.vmNetworkCIDR`,
    );
  return first;
};

const setUpInterfaces = async (
  host: Host,
  netns: number,
  {interfaces}: EffectiveMachine,
  descriptors: Descriptors,
): Promise<void> => {
  for (const [index, one] of interfaces.entries()) {
    descriptors.name(`tap${index}`, await setUpTap(host, netns, one));
    if (one.vhost) descriptors.name(`vhost${index}`, host.openDevice('/dev/vhost-net'));
    // The socket is bound to the tap, so the tap comes first.
    descriptors.name(`dhcp${index}`, await host.openDhcpSocket(netns, one.tap));
  }
};

const setUpTap = async (host: Host, netns: number, {tap, mtu, addresses}: MachineInterface): Promise<number> => {
  const {tapFd} = await host.setUpTap(netns, {
    name: tap,
    address: addresses.gateway,
    prefixLength: addresses.prefixLength,
    mtu,
    ownerUid: PodLayout.user,
  });
  return tapFd;
};

const hasVhost = (host: Host): boolean => {
  try {
    host.close(host.openDevice('/dev/vhost-net'));
    return true;
  } catch (error) {
    if (isNativeError(error, 'NotFound', 'PermissionDenied', 'Unsupported', 'System')) return false;
    throw error;
  }
};

/** That the launcher has this plan already is as good: an earlier attempt reached it, and only its answer was lost. */
const handOver = async (host: Host, link: PodLink, plan: Plan, descriptors: Descriptors): Promise<void> => {
  using folder = link.folder();
  if (folder === undefined) throw new DaemonError('NOT_READY', 'the pod of the guest is being removed');
  const id = 1;
  const frame = encodeFrame({id, op: 'start', plan});
  const fds = plan.descriptors.map(name => descriptors.get(name));
  // The socket may have another listener than the one that was met before.
  const options = {timeoutMs: HAND_OVER_MS, peerUid: PodLayout.user};
  const answer = messageOf(decodeFrame(await host.handOver(folder, PodLayout.launcherSocket, frame, fds, options)));
  if (answer.at === 'event' || answer.id !== id)
    throw new DaemonError('PROTOCOL', 'the launcher answered something else than the start');
  if (answer.at !== 'refusal' || answer.code === 'AlreadyStarted') return;
  throw isOfBefore(plan, answer) ? withoutEngine(plan) : new RefusedError('start', answer.code, answer.message);
};

/** It reads no plan for an engine that it has never heard of, and says so by its name. */
const isOfBefore = (
  {engine: {kind}}: Plan,
  {code, message}: {readonly code: string; readonly message: string},
): boolean => code === 'BadPlan' && message.includes(`unknown variant \`${kind}\``);

const withoutEngine = ({engine: {kind}}: Plan): DaemonError =>
  unsupportedMachine(
    `the launcher in the pod is of an older version, which lacks the ${kind} engine: restart the machine, so that it gets a pod of this version, or set the annotation ${Annotation.engine} to qemu`,
  );

/** Descriptors that are closed when the hand-over is done, whatever came of it: the launcher has copies. */
class Descriptors implements Disposable {
  readonly #host: Host;
  readonly #named = new Map<string, number>();
  readonly #owned: number[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  own(fd: number): number {
    this.#owned.push(fd);
    return fd;
  }

  name(name: string, fd: number): void {
    this.#named.set(name, this.own(fd));
  }

  get(name: string): number {
    const fd = this.#named.get(name);
    if (fd === undefined)
      throw new DaemonError('UNSUPPORTED_MACHINE', `the plan wants a descriptor ${name} that nobody made`);
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#owned.splice(0)) this.#host.close(fd);
  }
}
