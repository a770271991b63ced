import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {isOfPod, podHasProcesses} from './pod-processes.ts';

const POD = '0f403347-e621-4574-b37d-7a832a2e7b3b';

test.each([
  ['the systemd driver', `0::/kubelet.slice/kubelet-kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-1.scope`, true],
  ['the cgroupfs driver', `0::/kubepods/burstable/pod${POD}/abc`, true],
  ['another pod', '0::/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/abc', false],
  ['no pod', '0::/system.slice/sshd.service', false],
])('a process under %s is told by its cgroup', (_what, cgroup, expected) => {
  expect(isOfPod(cgroup, POD)).toBe(expected);
});

test('a pod lives as long as any process of the node is in its cgroup', async () => {
  const proc = mkdtempSync(join(tmpdir(), 'wherry-proc-'));
  try {
    for (let pid = 1; pid <= 200; pid++) {
      mkdirSync(join(proc, String(pid)));
      writeFileSync(join(proc, `${pid}/cgroup`), pid === 150 ? `0::/kubepods/pod${POD}/x\n` : '0::/init.scope\n');
    }
    mkdirSync(join(proc, 'sys'));
    expect(await podHasProcesses(POD, proc)).toBe(true);
    rmSync(join(proc, '150'), {recursive: true});
    mkdirSync(join(proc, '150'));
    expect(await podHasProcesses(POD, proc)).toBe(false);
  } finally {
    rmSync(proc, {recursive: true});
  }
});
