import {run, succeeds} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import {readCargoOutput} from './cargo-report.ts';
import type {SuiteResult} from './suite.ts';

/** Miri comes with nightly toolchains alone. */
const miri = ['+nightly', 'miri'];

/** What reads bytes of guests and peers and makes no system call, which Miri could not follow: tests by their crate and module. */
const modules: Readonly<Record<string, readonly string[]>> = {
  'wherry-devices': ['pci::config', 'virtio::net::header'],
  'wherry-launcher': ['base64', 'frame', 'dhcp::resolv_conf'],
};

const missing = {
  name: 'Miri',
  reason: 'undefined behaviour is not looked for (needs Miri: rustup component add --toolchain nightly miri rust-src)',
};

/** Tests once more under Miri, which sees undefined behaviour; where there is none, that is said. */
export async function underMiri(
  onLine: (line: string) => void,
  cargo = 'cargo',
): Promise<Omit<SuiteResult, 'suite' | 'took'>> {
  if (!(await succeeds(cargo, [...miri, '--version']))) return {passed: 0, failed: [], skipped: [missing]};
  const results = [];
  for (const [crate, names] of Object.entries(modules)) {
    const lines: string[] = [];
    const args = [...miri, 'test', '--package', crate, '--lib', '--', ...names];
    const hear = (line: string): void => {
      lines.push(line);
      onLine(line);
    };
    const exitedWell = await run(cargo, args, {cwd: repository, onLine: hear}).then(
      () => true,
      () => false,
    );
    const {passed, failed, skipped} = readCargoOutput(lines, exitedWell);
    results.push({passed, failed: failed.map(name => `${name} under Miri`), skipped});
  }
  return {
    passed: results.reduce((sum, {passed}) => sum + passed, 0),
    failed: results.flatMap(({failed}) => failed),
    skipped: results.flatMap(({skipped}) => skipped),
  };
}
