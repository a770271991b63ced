/** What the parts that run are able to do, by the kernel's own account, and what lies in their images. */
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {readFileSync} from 'node:fs';
import {run} from '../../scripts/core/command.ts';
import {imageSource} from '../../scripts/cluster/node-image.ts';
import type {E2eEnvironment} from '../support/guests.ts';
import {environmentFile} from './environment.ts';

jest.setTimeout(120_000);

let env: E2eEnvironment;
beforeAll(() => {
  env = JSON.parse(readFileSync(environmentFile, 'utf8')) as E2eEnvironment;
});

/** /proc/<pid>/<file> of a container's first process, and of that process's threads. */
class Container {
  readonly #node: string;
  readonly #pid: string;

  private constructor(node: string, pid: string) {
    this.#node = node;
    this.#pid = pid;
  }

  /** The one of this name on a node, or on any. */
  static async find(name: string): Promise<Container> {
    for (const node of env.nodes) {
      const [id] = (await onNode(node, 'crictl', 'ps', '--quiet', '--name', `^${name}$`)).split('\n');
      if (id) {
        const pid = await onNode(node, 'crictl', 'inspect', '-o', 'go-template', '--template', '{{.info.pid}}', id);
        return new Container(node, pid.trim());
      }
    }
    throw new Error(`no container ${name} runs`);
  }

  read(file: string): Promise<string> {
    return onNode(this.#node, 'sh', '-c', `cat /proc/${this.#pid}/${file}`);
  }

  /** Fields of the status of each thread, without those that are the same. */
  async privileges(): Promise<readonly string[]> {
    const lines = (await this.read('task/*/status')).split('\n');
    const wanted = /^(Uid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):\s+(\S+)/;
    return [...new Set(lines.flatMap(line => wanted.exec(line)?.slice(1, 3).join(' ') ?? []))].toSorted(byText);
  }

  /** Where something is mounted, and whether it is read-only. */
  async mounts(): Promise<readonly string[]> {
    const lines = (await this.read('mountinfo')).trim().split('\n');
    return lines.map(line => {
      const [, , , , path = '', options = ''] = line.split(' ');
      // In an image with a whole base, /var/run is a link.
      return `${path.replace(/^\/var\/run\//, '/run/')} ${options.split(',')[0]}`;
    });
  }
}

const onNode = (node: string, ...command: string[]): Promise<string> => run('docker', ['exec', node, ...command]);
const byText = (a: string, b: string): number => (a < b ? -1 : 1);

/** As capabilities(7) numbers them. */
const numbers = {DAC_OVERRIDE: 1, NET_BIND_SERVICE: 10, NET_ADMIN: 12, SYS_PTRACE: 19, SYS_ADMIN: 21};
const mask = Object.values(numbers).reduce((sum, bit) => sum + 2 ** bit, 0);
const hex = (bits: number): string => bits.toString(16).padStart(16, '0');

test('the node-daemon that runs has the listed capabilities in every thread, and cannot get others', async () => {
  const daemon = await Container.find('node-daemon');
  expect(await daemon.privileges()).toEqual([
    `CapAmb ${hex(0)}`,
    `CapBnd ${hex(mask)}`,
    `CapEff ${hex(mask)}`,
    `CapInh ${hex(0)}`,
    `CapPrm ${hex(mask)}`,
    'NoNewPrivs 1',
    'Seccomp 0',
    'Uid 0',
  ]);
});

test('the node-daemon that runs has the listed mounts, none of the host to write to', async () => {
  const daemon = await Container.find('node-daemon');
  // What the container runtime makes for every privileged container; and, below the kubelet's folder, the pods' own mounts.
  const usual = /^\/(proc|sys|dev)(\/| )|^\/var\/lib\/kubelet\/pods\//;
  const mounts = (await daemon.mounts()).filter(mount => !usual.test(mount));
  expect(mounts.toSorted(byText)).toEqual([
    '/ ro',
    '/etc/hostname ro',
    // The kubelet's own of this pod, which it mounts so into every pod.
    '/etc/hosts rw',
    '/etc/resolv.conf ro',
    '/etc/wherry ro',
    '/run/secrets/kubernetes.io/serviceaccount ro',
    '/var/lib/kubelet/pods ro',
  ]);
});

test('the operator that runs can do nothing that needs a privilege', async () => {
  const operator = await Container.find('operator');
  expect(await operator.privileges()).toEqual([
    ...['CapAmb', 'CapBnd', 'CapEff', 'CapInh', 'CapPrm'].map(set => `${set} ${hex(0)}`),
    'NoNewPrivs 1',
    'Seccomp 2',
    'Uid 65532',
  ]);
});

/** Everything that can be run in an image, its libraries aside, which are loaded. */
const executables: Readonly<Record<string, readonly string[]>> = {
  operator: ['usr/bin/node'],
  'node-daemon': [
    'usr/bin/node',
    'usr/bin/setpriv',
    'usr/bin/wherry-kvm-selftest',
    'usr/bin/wherry-netns',
    'usr/sbin/nft',
  ],
  launcher: ['usr/bin/qemu-img', 'usr/bin/qemu-system-x86_64', 'usr/bin/wherry-launcher', 'usr/bin/wherry-vmm'],
};

/** Files of an image as tar lists them, but for those that Docker makes for a container. */
const files = async (name: string): Promise<readonly {mode: string; path: string}[]> => {
  const image = env.helmArguments
    .map(argument => new RegExp(`=(wherry/${name}:.*)$`).exec(argument)?.[1])
    .find(Boolean);
  const container = (await run('docker', ['create', image ?? name, 'none'])).trim();
  try {
    const list = await run('sh', ['-c', 'docker export "$0" | tar -tvf -', container]);
    const made = /^(\.dockerenv|dev\/.*|etc\/(hostname|hosts|resolv\.conf)|proc\/|sys\/)$/;
    return list
      .trim()
      .split('\n')
      .map(line => ({mode: line.slice(0, 10), path: line.split(/\s+/)[5] ?? ''}))
      .filter(({path}) => !made.test(path));
  } finally {
    await run('docker', ['rm', container]);
  }
};

describe.each(Object.keys(executables))('the image of %s', name => {
  let content: Awaited<ReturnType<typeof files>>;
  beforeAll(async () => {
    content = await files(name);
  });

  test('holds no shell, no package manager, and nothing that runs as somebody else', () => {
    expect(content.length).toBeGreaterThan(5);
    const unwanted = /(^|\/)(sh|bash|dash|ash|busybox|apt|apt-get|dpkg|apk|rpm|perl|python[\d.]*|su|sudo|mount|npm)$/;
    expect(content.filter(({path}) => unwanted.test(path))).toEqual([]);
    expect(content.filter(({mode}) => mode.startsWith('-') && /[sS]/.test(mode))).toEqual([]);
  });

  test('holds these programs', async () => {
    const found = content
      .filter(({mode, path}) => mode.startsWith('-') && mode.includes('x') && !/^usr\/lib(64)?\//.test(path))
      .map(({path}) => path);
    // An official base has more beside them.
    if ((await imageSource()) === 'local') expect(found.toSorted(byText)).toEqual(executables[name]);
    else expect(found).toEqual(expect.arrayContaining([...executables[name]!]));
  });

  test('has nothing that everybody may write to, but /tmp', () => {
    const open = content.filter(({mode}) => !mode.startsWith('l') && mode[8] === 'w').map(({path}) => path);
    expect(open.filter(path => path !== 'tmp/')).toEqual([]);
  });
});
