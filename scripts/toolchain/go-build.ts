import {join} from 'node:path';
import {run} from '../core/command.ts';
import {fingerprint} from '../core/fingerprint.ts';
import {repository} from '../core/paths.ts';

/** The module that pins Kubernetes and everything else that is written in Go. */
export const goModule = join(repository, 'scripts/offline/kubernetes');

/** What the tools and the node image say they are. The node image's registry names follow from it. */
export const kubernetesVersion = 'v1.36.4';

/** Said by `--version` only: go.mod decides what is built. */
const stamps = [
  ...['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap(pkg => [
    `${pkg}.gitVersion=${kubernetesVersion}`,
    `${pkg}.gitMajor=1`,
    `${pkg}.gitMinor=36`,
    `${pkg}.gitTreeState=clean`,
    `${pkg}.gitCommit=${'0'.repeat(40)}`,
    `${pkg}.buildDate=2026-01-01T00:00:00Z`,
  ]),
  'github.com/containerd/containerd/v2/version.Version=2.3.4',
  'sigs.k8s.io/cri-tools/pkg/version.Version=1.36.0',
  'github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v1.9.1',
];

/** Of every build and test, so that they share what they compile. */
export const goFlags: readonly string[] = [
  '-trimpath',
  '-buildvcs=false',
  `-ldflags=-s -w ${stamps.map(stamp => `-X ${stamp}`).join(' ')}`,
  // Storage drivers of containerd that the nodes do not use.
  '-tags=no_aufs,no_zfs,no_btrfs,no_devmapper',
];

/** Static programs, whatever the user's own settings are. */
export const goEnv = {CGO_ENABLED: '0', GOFLAGS: undefined};

export interface GoBuild {
  /** The module's folder. Defaults to the one that pins Kubernetes. */
  module?: string;
  /** Defaults to the flags of that module. */
  flags?: readonly string[];
  packages: readonly string[];
  /** Extra arguments of `go build`. */
  extra?: readonly string[];
}

/** Changes when the module, the compiler or the flags do. */
export async function goFingerprint(build: GoBuild): Promise<string> {
  const {module = goModule, flags = goFlags, packages, extra = []} = build;
  const compiler = await run('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], {cwd: module});
  return fingerprint({files: [module], values: [compiler, ...flags, ...packages, ...extra]});
}

/** Static binaries of `packages`, named as their packages, in `folder`. */
export async function goBuild(build: GoBuild, folder: string, say: (doing: string) => void): Promise<void> {
  const {module = goModule, flags = goFlags, packages, extra = []} = build;
  let built = 0;
  await run('nice', ['go', 'build', '-v', ...flags, ...extra, '-o', `${folder}/`, ...packages], {
    cwd: module,
    env: goEnv,
    onLine(line) {
      if (line.startsWith('go: downloading')) say(line.slice('go: '.length));
      else say(`${++built} packages compiled, last ${line}`);
    },
  });
}
