/** The descriptors of a device, opened in a lab node as the node-daemon and the launcher do. */
import {execFileSync} from 'node:child_process';
import {openSync} from 'node:fs';
import {createRequire} from 'node:module';
import type * as Koffi from 'koffi';
import type {Device} from './scenario.ts';

/** @returns the number that the engine will know the descriptor by */
type Pass = (fd: number) => number;

const TUNSETIFF = 0x400454ca;
/** IFF_TAP, IFF_NO_PI and IFF_VNET_HDR. */
const FLAGS = 0x2 | 0x1000 | 0x4000;
const REQUEST_BYTES = 40;
const NAME_BYTES = 16;

/** As the engine's description has it. */
export function openDevice({path, tap, address, vhost = false, ...device}: Device, pass: Pass): object {
  return {
    ...device,
    ...(path !== undefined && {fd: pass(openSync(path, device['readOnly'] === true ? 'r' : 'r+'))}),
    ...(tap !== undefined && {tap: pass(openTap(tap, address))}),
    ...(vhost && {vhost: pass(openSync('/dev/vhost-net', 'r+'))}),
  };
}

/** It is gone with its last descriptor. */
function openTap(name: string, address: string | undefined): number {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, unsigned long, void *)');
  const request = Buffer.alloc(REQUEST_BYTES);
  request.write(name, 'latin1');
  request.writeInt16LE(FLAGS, NAME_BYTES);
  const fd = openSync('/dev/net/tun', 'r+');
  if (ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`the tap ${name} cannot be made`);
  if (address !== undefined) execFileSync('ip', ['addr', 'add', address, 'dev', name]);
  execFileSync('ip', ['link', 'set', name, 'up']);
  return fd;
}
