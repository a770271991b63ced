import {closeSync, openSync} from 'node:fs';
import {expect, test} from '@jest/globals';
import {PodLayout} from '@wherry/api';
import type {Host} from '@wherry/native';
import {engines} from '../engine/engines.ts';
import {decodeFrame, encodeFrame} from '../launcher/frames.ts';
import {instance} from '../testing/instances.ts';
import type {PodLink} from './pod-link.ts';
import {Semaphore} from './semaphore.ts';
import {startGuest} from './start.ts';

type HandOver = Parameters<Host['handOver']>;

/** A node on which everything succeeds; `open` has the descriptors that are not closed. */
const fakeNode = (answer: object) => {
  const handOvers: HandOver[] = [];
  const open = new Set<number>();
  const descriptor = (): number => {
    const fd = openSync('/dev/null', 'r');
    open.add(fd);
    return fd;
  };
  const host: Partial<Host> = {
    netnsOf: descriptor,
    linkInfo: async () => ({name: 'eth0', mtu: 1450, mac: '02:00:00:00:00:02', addresses: ['10.244.1.7/24']}) as never,
    setUpTap: async () => ({tapFd: descriptor()}) as never,
    openDhcpSocket: async () => descriptor(),
    openDevice: descriptor,
    close: fd => {
      closeSync(fd);
      open.delete(fd);
    },
    handOver: async (...args) => {
      handOvers.push(args);
      return encodeFrame(answer);
    },
  };
  const link = {
    view: {at: 'connected', protocol: 2},
    process: {pid: 1, pidfd: 3},
    folder: () => ({[Symbol.dispose]: () => {}}),
  };
  const start = () =>
    startGuest(
      // The rules are nobody's here: `true` stands for the program that would apply them.
      {
        host: host as Host,
        engines,
        netnsProgram: 'true',
        now: () => 0,
        logConsole: false,
        places: new Semaphore(1),
      },
      instance(),
      'tcg',
      link as unknown as PodLink,
      new AbortController().signal,
    );
  return {start, handOvers, open};
};

test('the plan and its descriptors go to a listener of the launcher’s uid only', async () => {
  const {start, handOvers, open} = fakeNode({id: 1, ok: {}});
  const plan = await start();
  expect(handOvers).toHaveLength(1);
  const [, socket, frame, fds, options] = handOvers[0]!;
  expect(socket).toBe(PodLayout.launcherSocket);
  expect(options).toMatchObject({peerUid: 107});
  expect(decodeFrame(frame)).toMatchObject({op: 'start', plan: {id: plan.id, logConsole: false}});
  expect(fds).toHaveLength(plan.descriptors.length);
  expect(open.size).toBe(0);
});

test('a launcher that has the plan already is as good as one that takes it', async () => {
  const {start} = fakeNode({id: 1, error: {code: 'AlreadyStarted', message: 'again'}});
  await expect(start()).resolves.toMatchObject({engine: {kind: 'qemu'}});
});

test.each([
  ['another request', {id: 2, ok: {}}],
  ['no request', {seq: 1, at: 1, event: {type: 'state', state: 'Running'}}],
])('a launcher that answers %s has not taken the plan', async (_what, answer) => {
  const {start, open} = fakeNode(answer);
  await expect(start()).rejects.toMatchObject({code: 'PROTOCOL'});
  expect(open.size).toBe(0);
});

test('a launcher that has never heard of the engine is said to be of before', async () => {
  const message = 'unknown variant `qemu`, expected `xen` at line 1';
  const {start, open} = fakeNode({id: 1, error: {code: 'BadPlan', message}});
  await expect(start()).rejects.toMatchObject({
    code: 'UNSUPPORTED_MACHINE',
    message: expect.stringMatching(/older version, which lacks the qemu engine: restart the machine/),
  });
  expect(open.size).toBe(0);
});

test('a launcher that refuses the plan fails the start, and nothing stays open', async () => {
  const {start, open} = fakeNode({id: 1, error: {code: 'BadPlan', message: 'no such disk'}});
  await expect(start()).rejects.toMatchObject({code: 'REFUSED', refusal: 'BadPlan'});
  expect(open.size).toBe(0);
});
