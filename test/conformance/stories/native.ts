/** What the native engine is, seen from the node that it runs on. */
import assert from 'node:assert/strict';
import {readdir, readFile, readlink, stat} from 'node:fs/promises';
import type {Guest} from '../guest.ts';
import type {Story, Subject} from '../story.ts';

const lacks = ({engine}: Subject): string | undefined => (engine === 'native' ? undefined : 'the native engine');

/** Of each of the engine's threads, the fields of its status. Some that Linux lists with them are its own: they run no program. */
const threads = async (guest: Guest): Promise<readonly ReadonlyMap<string, string>[]> => {
  const tasks = `/proc/${await guest.enginePid()}/task`;
  const all = await Promise.all(
    (await readdir(tasks)).map(async id => {
      const lines = (await readFile(`${tasks}/${id}/status`, 'utf8')).split('\n');
      return new Map(lines.map(line => line.split(':\t', 2) as [string, string]));
    }),
  );
  return all.filter(status => !/^(vhost-|kvm-)/.test(status.get('Name') ?? ''));
};

/** What its descriptors are. */
const open = async (guest: Guest): Promise<readonly string[]> => {
  const folder = `/proc/${await guest.enginePid()}/fd`;
  return Promise.all((await readdir(folder)).map(number => readlink(`${folder}/${number}`)));
};

export const nativeEngine: readonly Story[] = [
  {
    name: 'the native engine',
    lacks,
    claims: ['data'],
    guest: {
      disks: [{name: 'data', disk: {bus: 'virtio'}}],
      volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}],
    },
    steps: [
      {
        name: 'it runs',
        run: guest => guest.running(),
      },
      {
        name: 'each of its threads has its own list of system calls, no privilege, and the uid of the pod',
        run: async guest => {
          const found = await threads(guest);
          assert.ok(found.length >= 4);
          for (const status of found) {
            const name = status.get('Name') ?? '';
            assert.equal(status.get('Seccomp'), '2', name);
            assert.equal(status.get('NoNewPrivs'), '1', name);
            assert.equal(status.get('Uid')?.split('\t')[0], '107', name);
            for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
              assert.match(status.get(set) ?? '', /^0+$/, `${name} ${set}`);
          }
        },
      },
      {
        name: 'it holds what it was given, and no path leads it anywhere',
        run: async guest => {
          const files = (await open(guest)).filter(name => name.startsWith('/'));
          const known = [
            // The pod's own, as the node sees it, or the node's.
            /^(\/.*\/pod\/root)?\/dev\/null$/,
            /^\/dev\/(kvm|net\/tun|vhost-net)$/,
            /\/(vmlinux|initrd)$/,
            /\/disk\.img$/,
            /^\/memfd:guest-ram/,
          ];
          assert.deepEqual(
            files.filter(name => !known.some(pattern => pattern.test(name))),
            [],
          );
          for (const argument of await guest.engineArgs()) assert.doesNotMatch(argument, /wherry-volumes|disk\.img/);
        },
      },
      {
        name: 'nobody else can have its disk meanwhile',
        run: async guest => {
          const {ino} = await stat(guest.claimFile('data'));
          // QEMU's own bytes, all of them.
          const whole = new RegExp(`OFDLCK +ADVISORY +WRITE .*:${ino} 100 299$`, 'm');
          assert.match(await readFile('/proc/locks', 'utf8'), whole);
        },
      },
    ],
  },
];
