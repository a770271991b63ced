/**
 * `npm run conformance [-- --engine qemu|native --accelerator kvm --only TEXT --json FILE]`: what an engine does on this very machine.
 * Needs root and, for KVM, /dev/kvm. Leaves nothing behind.
 */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {buildNative} from '../images/node/native.ts';
import {conformance} from '../test/conformance/conformance.ts';
import {podPrograms} from '../test/support/pod-programs.ts';
import {SetupError} from './core/errors.ts';
import {main} from './core/main.ts';
import {repository} from './core/paths.ts';
import {requirePrograms} from './core/requirements.ts';

const {values} = parseArgs({
  options: {
    engine: {type: 'string', default: 'qemu'},
    accelerator: {type: 'string', default: 'kvm'},
    only: {type: 'string', default: ''},
    json: {type: 'string'},
  },
});

const built = (name: string): string => join(repository, 'target/release', name);

await main(async progress => {
  if (process.getuid?.() !== 0)
    throw new SetupError('this needs root, for it makes network namespaces: run it by sudo');
  const packages = {ip: 'iproute2', nft: 'nftables', unshare: 'util-linux', pkill: 'procps'};
  requirePrograms('the conformance suite', packages);
  await buildNative(progress);
  const kit = {
    ...(await podPrograms()),
    library: built('libwherry.so'),
    selfTest: built('wherry-kvm-selftest'),
    netns: built('wherry-netns'),
  };
  const report = await conformance(kit, values, line => console.log(line));
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report, null, 2));
  process.exit(report.results.some(({outcome}) => outcome === 'failed') ? 1 : 0);
});
