import type {EffectiveMachine} from '../../machine/effective-machine.ts';

/**
 * The machine that guests see. Pinned, because a guest keeps its hardware for life; it is retired before QEMU drops it
 * (pc-q35 types live for about six years).
 */
export const QEMU_MACHINE_TYPE = 'pc-q35-10.0';

/** Of a machine that does not name its type it is the pinned one. */
export const machineTypeOf = ({machineType}: Pick<EffectiveMachine, 'machineType'>): string =>
  machineType ?? QEMU_MACHINE_TYPE;

/** Name of QEMU's own channel to the guest agent, which agents look for. */
export const AGENT_PORT = 'org.qemu.guest_agent.0';

/** QOM id of that channel's port, by which events name it. */
export const AGENT_DEVICE = 'agent-port';

/** Sockets that QEMU listens on, in the pod's sockets folder. */
export const AGENT_SOCKET = 'agent.sock';
export const VNC_SOCKET = 'vnc.sock';

/** QOM id of the balloon, which counts the guest's memory. */
export const BALLOON_ID = 'balloon0';

/** Name of the socket of the agent's channel. */
export const AGENT_CHARDEV = 'agent';
