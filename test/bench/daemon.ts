import {setTimeout as sleep} from 'node:timers/promises';
import type {Process} from '../support/node/node-shell.ts';
import type {Section} from './figure.ts';
import {idleWrites, writeRows, writesFigure} from './idle.ts';
import {seconds, type Stage, systemNamespace} from './stage.ts';

const MiB = 1024 * 1024;
const count = 30;
/** The kubelet tells of thirty new pods for a while. */
const settleMs = 15_000;

/** The node-daemon with guests that do nothing: their vCPUs never run, as under emulation an idle guest costs CPU. */
export const measureDaemon = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const names = Array.from({length: count}, (_, index) => `idle-${index}`);
  say(`${count} machines start`);
  for (const name of names) {
    await stage.applyMachine(name, {
      memory: '64Mi',
      spec: {startStrategy: 'Paused'},
      domain: {cpu: {cores: 1}, resources: {requests: {cpu: '10m'}}},
    });
  }
  await Promise.all(names.map(name => stage.running(name)));
  await sleep(settleMs);
  say('a minute in which nothing happens');
  const before = await daemonProcess(stage);
  const began = performance.now();
  const writes = await idleWrites(stage);
  const after = await daemonProcess(stage);
  const cores = (after.cpuSeconds - before.cpuSeconds) / seconds(performance.now() - began);
  say('the daemon is killed');
  const adoption = await timeAdoption(stage);
  await stage.deleteMachines(names);
  return [
    {
      title: `Node-daemon with ${count} guests`,
      how: 'guests that are started paused (startStrategy), so that the daemon’s own CPU is seen; over one minute. Adopted: it has told the metrics of every guest, each asked of its QEMU',
      figures: [
        {what: 'RSS', unit: 'MiB', value: after.resident / MiB, goal: 120, note: 'the goal is for 100 guests'},
        {what: 'CPU, idle', unit: 'cores', value: cores, goal: 0.05, note: 'the goal is for 100 guests'},
        writesFigure(`writes but Leases, ${count} guests`, writes),
        {
          what: 'daemon’s pod killed → all adopted, after its container starts',
          unit: 's',
          value: adoption.afterStart,
          goal: 3,
        },
        {what: 'the same, from the kill on', unit: 's', value: adoption.afterKill},
      ],
      details: [['write', 'in a minute'], ...writeRows(writes)],
    },
  ];
};

const daemonProcess = async (stage: Stage): Promise<Process> => {
  const pod = await stage.daemonPod();
  const processes = await stage.node.processes(pod.metadata.uid ?? '');
  // Beside it there is only the sandbox's, which is tiny.
  const daemon = processes.toSorted((a, b) => b.resident - a.resident)[0];
  if (daemon === undefined) throw new Error('the node-daemon has no process');
  return daemon;
};

const timeAdoption = async (stage: Stage): Promise<{afterStart: number; afterKill: number}> => {
  const old = await stage.daemonPod();
  const killed = Date.now();
  await stage.kubectl.in(systemNamespace).run('delete', 'pod', old.metadata.name ?? '', '--grace-period=0', '--force');
  const adopted = await eachGuestAnswers(stage, old.metadata.uid ?? '');
  const {startedAt} = await daemonProcess(stage);
  return {afterStart: seconds(adopted - startedAt), afterKill: seconds(adopted - killed)};
};

/** Milliseconds of the epoch at which the successor of a daemon told the metrics of all guests. */
const eachGuestAnswers = async (stage: Stage, oldUid: string): Promise<number> => {
  const deadline = Date.now() + 120_000;
  for (;;) {
    if (Date.now() > deadline) throw new Error('the new node-daemon has not adopted all guests within two minutes');
    const pod = await stage.daemonPod().catch(() => undefined);
    const address = pod?.metadata.uid === oldUid ? undefined : pod?.status?.podIP;
    if (address === undefined) await sleep(50);
    else {
      const asked = Date.now();
      if ((await guestsTold(stage, address)) === count) return asked;
    }
  }
};

/** Guests of which the daemon at this address tells what their one vCPU has done: it asks each QEMU for it. */
const guestsTold = async ({node, namespace}: Stage, address: string): Promise<number> => {
  const script = `curl -sS --max-time 5 http://$1:8080/metrics 2>/dev/null | grep -c "^kubevirt_vmi_vcpu_seconds_total{.*namespace=\\"$2\\""`;
  return Number(await node.sh(script, address, namespace).catch(() => '0'));
};
