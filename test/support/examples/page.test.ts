import {expect, test} from '@jest/globals';
import {type Outcome, reasonsIn} from './outcomes.ts';
import {examplesPage, summaryOf, withExamples} from './page.ts';

const outcomes: readonly Outcome[] = [
  {file: 'a.yaml', object: 'VirtualMachine a', here: 'runs', why: []},
  {file: 'b.yaml', object: 'VirtualMachine b', here: 'refused', why: ['one: x|y', 'two: z']},
  {file: 'b.yaml', object: 'PriorityClass c', here: 'applies', why: []},
  {file: 'd.yaml', object: 'VirtualMachinePool d', here: 'no such kind', why: ['is not served: use x']},
];

test('the summary counts manifests and what becomes of their objects', () => {
  expect(summaryOf(outcomes)).toBe(
    "Of the objects in KubeVirt's 3 example manifests 1 run, 1 are Kubernetes' own and apply, " +
      '1 are refused for what they ask for, and 1 are of kinds that are not served.',
  );
});

test('the page has a row for each object, with every reason', () => {
  const page = examplesPage('v1.2.3', outcomes);
  expect(page).toContain('KubeVirt v1.2.3');
  expect(page).toContain('| a.yaml | VirtualMachine a | runs |  |\n');
  expect(page).toContain('| b.yaml | VirtualMachine b | refused | one: x\\|y<br>two: z |\n');
  expect(page).toContain('| d.yaml | VirtualMachinePool d | no such kind | is not served: use x |\n');
});

test('the guide gets the summary between its markers, and keeps the rest', () => {
  const guide = 'before\n<!-- examples:start -->\nold\n<!-- examples:end -->\nafter\n';
  expect(withExamples(guide, outcomes)).toBe(
    `before\n<!-- examples:start -->\n${summaryOf(outcomes)}\n<!-- examples:end -->\nafter\n`,
  );
  expect(withExamples('no markers\n', outcomes)).toBe('no markers\n');
});

const answer = (body: object): readonly string[] => reasonsIn({status: 422, body});

test('the reasons of an answer are its causes by field, or what the policy said, or its message', () => {
  const causes = [
    {field: 'spec.b', message: 'Required value'},
    {field: 'spec.a', message: 'Forbidden: a is not supported: use b'},
    {field: '<nil>', message: 'some validation rules were not checked'},
  ];
  expect(answer({message: 'long', details: {causes}})).toEqual([
    'spec.a: Forbidden: a is not supported: use b',
    'spec.b: Required value',
  ]);
  expect(answer({message: "x is forbidden: Policy 'p' denied request: leave it out", details: {causes}})).toEqual([
    'leave it out',
  ]);
  expect(answer({message: 'strict decoding error: unknown field "spec.x"'})).toEqual([
    'strict decoding error: unknown field "spec.x"',
  ]);
});
