import {expect, jest, test} from '@jest/globals';
import {customResourceDefinition, EndReason, EventReason, kinds, printableStatuses, Reason} from '@wherry/api';
import {parse} from 'yaml';
import {annotationPolicy, policies} from './annotation-policy.ts';
import {kubevirtFields, withSummary} from './coverage.ts';
import {crds} from './crds.ts';
import {MARKER} from './generator.ts';
import {reference} from './reference.ts';

// Everything is made anew for each test, which takes seconds on a machine that is busy.
jest.setTimeout(30_000);

const file = async (generator: typeof crds, path: string): Promise<string> =>
  (await generator.produce()).get(path) ?? '';

test('every generated file says so in its first line and ends in one line break', async () => {
  for (const generator of [crds, policies, reference]) {
    for (const [path, text] of await generator.produce()) {
      expect([path, text.split('\n')[0]?.includes(MARKER)]).toEqual([path, true]);
      expect(text).toMatch(/[^\n]\n$/);
      expect(generator.folders.some(folder => path.startsWith(`${folder}/`))).toBe(true);
    }
  }
});

test('a definition in YAML is the definition', async () => {
  for (const kind of kinds) {
    expect(parse(await file(crds, `crds/${kind.plural}.yaml`))).toEqual(
      JSON.parse(JSON.stringify(customResourceDefinition(kind))),
    );
  }
});

test('the copy of the chart differs only in its guard and in being kept', async () => {
  for (const kind of kinds) {
    const lines = (await file(crds, `helm/templates/crds/${kind.plural}.yaml`)).split('\n');
    expect(lines.slice(0, 2)).toEqual([`{{- /* ${MARKER} */ -}}`, '{{- if .Values.crds.enabled }}']);
    expect(lines.slice(-2)).toEqual(['{{- end }}', '']);
    const body = lines.slice(2, -2).join('\n');
    expect(body).not.toContain('{{');
    const {metadata, ...rest} = customResourceDefinition(kind) as {metadata: object};
    const annotations = {'helm.sh/resource-policy': 'keep'};
    expect(parse(body)).toEqual(JSON.parse(JSON.stringify({...rest, metadata: {...metadata, annotations}})));
  }
});

test('the reference names every field with its type, default, bounds and meaning', async () => {
  const page = await file(reference, 'docs/reference/virtualmachineinstances.md');
  expect(page).toContain('| `spec.domain` | object | required |  | The virtual machine. |');
  expect(page).toMatch(/\| `spec\.terminationGracePeriodSeconds` \| integer \| `30` \| 0–31536000 \| Seconds /);
  expect(page).toMatch(/\| `spec\.domain\.devices\.disks` \| list of object by name \| {2}\| 0–256 items \|/);
  expect(page).toMatch(
    /\| `spec\.domain\.devices\.disks\[\]\.disk\.bus` \| string \| `"virtio"` \| `virtio` `sata` `scsi` `usb` \|/,
  );
  expect(page).toMatch(/\| `spec\.domain\.memory\.guest` \| quantity \| {2}\| {2}\|/);
  expect(page).toMatch(/\| `spec\.nodeSelector` \| map of string \| {2}\| 0–64 entries \|/);
});

test('the reference lists the rules with the path that a user meets', async () => {
  const page = await file(reference, 'docs/reference/virtualmachineinstances.md');
  expect(page).toContain('- `spec.domain.memory`: memory.guest must not be larger than resources.limits.memory');
  expect(page).toContain('- `spec.networks`: at most one network may be the network of the pod');
});

test('what two kinds share is documented once', async () => {
  const page = await file(reference, 'docs/reference/virtualmachines.md');
  expect(page).toContain('the same as `spec` of [VirtualMachineInstance](virtualmachineinstances.md)');
  expect(page).not.toContain('spec.template.spec.domain');
});

const cells = (line: string): number => line.replaceAll('\\|', '').split('|').length;

test('a cell never breaks its table', async () => {
  for (const [path, text] of await reference.produce()) {
    const lines = text.split('\n');
    for (const [at, line] of lines.entries()) {
      if (!line.startsWith('| `')) continue;
      const rule = lines.findLast((one, before) => before < at && one.startsWith('| ---')) ?? lines[at + 1] ?? '';
      const head = lines[at + 1]?.startsWith('| ---') === true;
      expect([path, line, cells(line)]).toEqual([path, line, cells(head ? lines[at + 1]! : rule)]);
    }
  }
});

test('the coverage has a row for each field of KubeVirt and says what to use instead of what is refused', async () => {
  const page = await file(reference, 'docs/reference/coverage.md');
  for (const kind of ['VirtualMachine', 'VirtualMachineInstance']) {
    const fields = await kubevirtFields(kind);
    expect(page).toMatch(new RegExp(`${kind}: \\d+ implemented, \\d+ refused by name, ${fields.length} in all`));
    for (const path of fields) {
      expect(page).toContain(`| \`${path}\` | `);
    }
  }
  expect(page).toContain('| `spec.domain.cpu.cores` | implemented |');
  expect(page).toContain('| `spec.domain.devices.tpm.persistent` | refused |');
  expect(page).toMatch(/^- `domain\.devices\.tpm` is not supported: \S/m);
});

test('fields that are refused are kept out of the reference of what there is', async () => {
  const page = await file(reference, 'docs/reference/virtualmachineinstances.md');
  expect(page).not.toContain('spec.domain.devices.tpm');
  expect(page).not.toContain('spec.domain.launchSecurity');
  expect(page).toContain('`spec.domain.devices.rng`');
});

test('the summary stands between its markers, and a text without them stays', () => {
  const text = 'a\n<!-- coverage:start -->\nold\nlines\n<!-- coverage:end -->\nb\n';
  const wanted = 'a\n<!-- coverage:start -->\n$1 new\n<!-- coverage:end -->\nb\n';
  expect(withSummary(text, '$1 new')).toBe(wanted);
  expect(withSummary(wanted, '$1 new')).toBe(wanted);
  expect(withSummary('none', 'new')).toBe('none');
});

test('the policy of the chart is the policy with the labels of the release', async () => {
  const text = await file(policies, 'helm/templates/annotations-policy.yaml');
  const include = '    {{- include "wherry.labels" . | nindent 4 }}';
  expect(text.split(include)).toHaveLength(3);
  const documents = text.replaceAll(`  labels:\n${include}\n`, '').split('\n').slice(1).join('\n').split('---\n');
  expect(documents.map(one => parse(one) as unknown)).toEqual(annotationPolicy);
});

test('the reference explains every word of statuses, conditions, ends and events', async () => {
  const page = await file(reference, 'docs/reference/status.md');
  for (const word of [
    ...printableStatuses,
    ...Object.values(Reason),
    ...Object.values(EndReason),
    ...Object.values(EventReason),
  ])
    expect(page).toMatch(new RegExp(`[|-] \`${word}\`[ :]`));
  expect(page).toContain('- `Migrating`: The guest moves to another node. There is no live migration yet.');
});
