/** Steps at the root shell of a Debian guest's console. */
import {tinyKernelArgs} from '../../../support/guests.ts';
import type {Step} from './scenario.ts';

/** A step whose result is looked at. */
export type Named = Step & {readonly as?: string};

/** From the engine's start to the prompt: some 30 s on an idle machine. */
export const BOOT_MS = 420_000;
export const COMMAND_MS = 120_000;

/** What nobody needs here and takes its time under emulation. */
const masked = [
  ...[
    'resolved',
    'networkd',
    'timesyncd',
    'logind',
    'journal-flush',
    'modules-load',
    'network-generator',
    'random-seed',
  ].map(name => `systemd-${name}.service`),
  ...['configfs', 'fuse', 'drm', 'efi_pstore', 'dm_mod', 'loop'].map(name => `modprobe@${name}.service`),
  ...[
    'dev-hugepages',
    'dev-mqueue',
    'sys-kernel-debug',
    'sys-kernel-tracing',
    'sys-kernel-config',
    'run-lock',
    'tmp',
  ].map(name => `${name}.mount`),
  ...['ssh', 'qemu-guest-agent', 'kmod-static-nodes', 'getty@tty1'].map(name => `${name}.service`),
];

/** Logs root in at the console, without a password. */
export const commandLine = [
  tinyKernelArgs,
  'root=LABEL=root rw net.ifnames=0 cloud-init=disabled',
  ...masked.map(unit => `systemd.mask=${unit}`),
  ...['agetty.autologin:root', 'login.noauth:yes'].map(credential => `systemd.set_credential=${credential}`),
].join(' ');

export const login: readonly Named[] = [
  {as: 'login', expect: 'login: root', timeoutMs: BOOT_MS},
  {expect: '# ', timeoutMs: COMMAND_MS},
];

/** The quotes keep the echo of what is typed from being taken for what is printed. */
export const start = (command: string): Named[] => [{type: `X=$(${command}); echo d''id $? $X\n`}];
export const done = (as: string): Named => ({as, expect: '^did (.*)\r', timeoutMs: COMMAND_MS});
/** Runs it in the guest's shell; gives what it printed, behind its exit code. */
export const sh = (as: string, command: string): Named[] => [...start(command), done(as)];

export const powerOff: readonly Named[] = [
  {type: 'systemctl poweroff\n'},
  {as: 'shutdown', event: 'SHUTDOWN', timeoutMs: COMMAND_MS},
  {as: 'exit', ended: true},
];
