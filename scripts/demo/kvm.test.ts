import {expect, test} from '@jest/globals';
import {sayVerdicts, verdictsOf} from './kvm.ts';

const node = (name: string, verdict?: string, reason?: string) => ({
  metadata: {
    name,
    ...(verdict === undefined ? {} : {labels: {'wherry.dev/kvm': verdict}}),
    ...(reason === undefined ? {} : {annotations: {'wherry.dev/kvm-reason': reason}}),
  },
});

const said = (...verdicts: Parameters<typeof sayVerdicts>[1]): string => {
  const lines: string[] = [];
  sayVerdicts({note: line => lines.push(line), step: (_, work) => work(() => undefined)}, verdicts);
  return lines.join('\n');
};

test('only nodes that a daemon has judged have a verdict', () => {
  expect(verdictsOf({items: [node('control-plane'), node('worker', 'broken', 'int3 is not emulated')]})).toEqual([
    {node: 'worker', verdict: 'broken', reason: 'int3 is not emulated'},
  ]);
});

test('emulation is said aloud, with the reason, when no KVM is usable', () => {
  const text = said({node: 'worker', verdict: 'broken', reason: 'int3 is not emulated'});
  expect(text).toContain('KVM on worker: broken (int3 is not emulated)');
  expect(text).toContain('software emulation');
});

test('one usable node is enough for KVM', () => {
  const text = said({node: 'a', verdict: 'absent', reason: ''}, {node: 'b', verdict: 'usable', reason: ''});
  expect(text).toContain('guests run with KVM');
  expect(text).not.toContain('emulation');
});
