import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {effectiveSpec, kinds, type VirtualMachine} from '@wherry/api';
import {parse} from 'yaml';
import {run} from '../../scripts/core/command.ts';
import {repository} from '../../scripts/core/paths.ts';
import {get} from '../support/control-plane/admin.ts';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, pathOf, send, set} from '../support/crds.ts';
import {eventually} from '../support/eventually.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

const kubectl = (...args: string[]): Promise<string> =>
  run(control.kubectl, args, {env: {KUBECONFIG: control.kubeconfig}});

/** As a user of KubeVirt writes it: everything that is supported, and nothing that is left to defaults. */
const full = `
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: full
  labels: {kubevirt.io/vm: full}
spec:
  runStrategy: RerunOnFailure
  template:
    metadata:
      creationTimestamp: null
      labels: {kubevirt.io/vm: full, app: web}
      annotations: {wherry.dev/engine: auto}
    spec:
      hostname: web-1
      terminationGracePeriodSeconds: 0
      nodeSelector: {kubernetes.io/arch: amd64}
      tolerations: [{key: dedicated, operator: Exists, effect: NoSchedule}]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - labelSelector: {matchLabels: {app: web}}
              topologyKey: kubernetes.io/hostname
      domain:
        cpu: {cores: 2, sockets: 1, threads: 1}
        memory: {guest: 1Gi}
        resources: {requests: {memory: 512Mi, cpu: 100m}, limits: {memory: 2Gi}}
        firmware:
          uuid: 5d307ca9-b3ef-428c-8861-06e72d69f223
          kernelBoot:
            kernelArgs: console=ttyS0
            container: {image: 'registry:5000/kernel:devel', kernelPath: /boot/vmlinuz, initrdPath: /boot/initrd}
        devices:
          disks:
            - {name: root, disk: {bus: virtio}}
            - {name: data, disk: {bus: virtio, readonly: true}}
            - {name: scratch, disk: {}}
            - {name: seed, cdrom: {bus: sata}}
          interfaces:
            - name: default
              model: virtio
              macAddress: de:ad:00:00:be:af
              masquerade: {}
              ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]
      networks: [{name: default, pod: {}}]
      volumes:
        - name: root
          containerDisk: {image: 'registry:5000/disk:devel', path: /disk/a.qcow2, imagePullPolicy: IfNotPresent, imagePullSecret: pull}
        - {name: data, persistentVolumeClaim: {claimName: data}}
        - {name: scratch, emptyDisk: {capacity: 2Gi}}
        - {name: seed, cloudInitNoCloud: {secretRef: {name: seed}, networkData: 'version: 2'}}
`;

describe('the definitions', () => {
  test('fit into what kubectl apply can remember, with room to grow', async () => {
    for (const {plural} of kinds) {
      const json = JSON.stringify(parse(await readFile(join(crdFolder, `${plural}.yaml`), 'utf8')));
      expect(json.length).toBeLessThan(160 * 1024);
    }
  });

  test('are copied into the chart, guarded by a value and kept on uninstall', async () => {
    for (const {plural} of kinds) {
      const path = join(repository, 'helm/templates/crds', `${plural}.yaml`);
      const [template, source] = await Promise.all([readFile(path, 'utf8'), stat(join(crdFolder, `${plural}.yaml`))]);
      expect(template.length).toBeGreaterThan(source.size);
      expect(template).toContain('{{- if .Values.crds.enabled }}');
      expect(template).toContain('helm.sh/resource-policy: keep');
    }
  });

  test('have the short names and the category of KubeVirt', async () => {
    const resources = await kubectl('api-resources', '--api-group=kubevirt.io', '--categories=all', '--no-headers');
    expect(resources).toMatch(/virtualmachines +vm,vms +kubevirt.io\/v1 +true +VirtualMachine\b/);
    expect(resources).toMatch(/virtualmachineinstances +vmi,vmis +kubevirt.io\/v1 +true +VirtualMachineInstance\b/);
  });

  test('explain every field', async () => {
    for (const kind of ['virtualmachine', 'virtualmachineinstance']) {
      // The server publishes the schema a moment after it serves the kind.
      const text = await eventually(() => kubectl('explain', kind), {timeoutMs: 20_000});
      expect(text).toMatch(new RegExp(`${kind} is`, 'i'));
    }
    const memory = await kubectl('explain', 'vm.spec.template.spec.domain.memory.guest');
    expect(memory).toContain('How much memory the guest sees.');
    const tree = await kubectl('explain', 'vmi.spec.affinity.nodeAffinity', '--recursive');
    expect(tree).toContain('matchExpressions');
    expect(tree).not.toContain('<no description>');
  }, 30_000);
});

describe('a manifest of KubeVirt', () => {
  test('keeps every field that is supported, and gets the constant defaults', async () => {
    expect(
      await run(control.kubectl, ['create', '-f', '-'], {input: full, env: {KUBECONFIG: control.kubeconfig}}),
    ).toBe('virtualmachine.kubevirt.io/full created');
    const {body} = await get(control.admin, pathOf(aMachine('full')));
    const written = parse(full) as {spec: {template: {metadata: object; spec: {domain: {devices: object}}}}};
    delete (written.spec.template.metadata as {creationTimestamp?: null}).creationTimestamp;
    expect(body).toMatchObject(set(written, 'spec.template.spec.domain.devices', {}));
    expect(body).toMatchObject({
      spec: {
        template: {
          spec: {
            domain: {
              devices: {
                disks: [
                  {name: 'root', disk: {bus: 'virtio'}},
                  {name: 'data', disk: {bus: 'virtio', readonly: true}},
                  {name: 'scratch', disk: {bus: 'virtio'}},
                  {name: 'seed', cdrom: {bus: 'sata', readonly: true}},
                ],
                interfaces: [
                  {
                    macAddress: 'de:ad:00:00:be:af',
                    model: 'virtio',
                    ports: [
                      {name: 'http', port: 80, protocol: 'TCP'},
                      {name: 'dns', port: 53, protocol: 'UDP'},
                    ],
                  },
                ],
              },
            },
          },
        },
      },
    });
  });

  test('gets a grace period of 30 seconds and nothing that must be derived', async () => {
    const {body} = await send(control, anInstance('smallest'));
    expect((body as {spec: object}).spec).toEqual({
      domain: {cpu: {cores: 1}, memory: {guest: '128Mi'}, devices: {}},
      terminationGracePeriodSeconds: 30,
    });
  });

  test('loses the fields that KubeVirt does not know either', async () => {
    const object = JSON.stringify(set(anInstance('pruned'), 'spec.domain.devices.floppies', {}));
    await run(control.kubectl, ['create', '--validate=false', '-f', '-'], {
      input: object,
      env: {KUBECONFIG: control.kubeconfig},
    });
    const {body} = await get(control.admin, pathOf(anInstance('pruned')));
    expect(body).toMatchObject({spec: {domain: {devices: {}}}});
    expect(JSON.stringify((body as {spec: object}).spec)).not.toContain('floppies');
  });
});

describe('an instance', () => {
  test('is made from the effective spec of a template, once: applying it again changes nothing', async () => {
    for (const template of [aMachine('effective'), parse(full) as object]) {
      const machine = set(template, 'metadata.name', `effective-${(template as VirtualMachine).metadata.name!}`);
      const {body} = await send(control, machine);
      expect(body).toHaveProperty('spec');
      const {metadata, spec} = body as VirtualMachine;
      const instance = set(anInstance(metadata.name!), 'spec', effectiveSpec(spec.template.spec, metadata.uid!));
      const first = await send(control, instance);
      expect([first.status, causes(first)]).toEqual([201, []]);
      expect((first.body as {spec: object}).spec).toEqual((instance as {spec: object}).spec);
      const second = await send(control, instance);
      expect(second.body).toMatchObject({
        metadata: {resourceVersion: (first.body as VirtualMachine).metadata.resourceVersion},
      });
    }
  });

  test('cannot be changed, and the message says what to change instead', async () => {
    const instance = anInstance('fixed');
    await send(control, instance);
    const answer = await send(control, set(instance, 'spec.domain.memory.guest', '256Mi'));
    expect(causes(answer)).toContainEqual(
      expect.objectContaining({
        field: 'spec',
        message: expect.stringContaining('change the template of its VirtualMachine and restart that'),
      }),
    );
    expect((await send(control, set(instance, 'metadata.labels', {app: 'web'}))).status).toBe(200);
  });

  test('keeps its status apart: a write to the object does not reach it, nor a write to the status the spec', async () => {
    const instance = anInstance('apart');
    await send(control, set(instance, 'status.phase', 'Running'));
    expect((await get(control.admin, pathOf(instance))).body).not.toHaveProperty('status.phase');
    const report = set(set(instance, 'status.phase', 'Scheduled'), 'spec.domain.memory.guest', '256Mi');
    expect((await send(control, report, '/status')).status).toBe(200);
    expect((await get(control.admin, pathOf(instance))).body).toMatchObject({
      spec: {domain: {memory: {guest: '128Mi'}}},
      status: {phase: 'Scheduled'},
    });
  });

  test('is found by the node that runs it, in a list and in a watch', async () => {
    for (const [name, node] of Object.entries({here: 'node-a', there: 'node-b'})) {
      await send(control, anInstance(name));
      await send(control, set(anInstance(name), 'status.nodeName', node), '/status');
    }
    const selected = '/apis/kubevirt.io/v1/virtualmachineinstances?fieldSelector=status.nodeName%3Dnode-a';
    const {body} = await get(control.admin, selected);
    expect((body as {items: object[]}).items).toEqual([
      expect.objectContaining({metadata: expect.objectContaining({name: 'here'})}),
    ]);
    const watched = await get(control.admin, `${selected}&watch=true&timeoutSeconds=1`);
    const events = typeof watched.body === 'string' ? watched.body : JSON.stringify(watched.body);
    expect(events).toContain('"name":"here"');
    expect(events).not.toContain('"name":"there"');
  });

  test('shows phase, address, node and readiness, and more with -o wide', async () => {
    const instance = anInstance('shown');
    await send(control, instance);
    const status = {
      phase: 'Running',
      nodeName: 'node-c',
      interfaces: [{name: 'default', ipAddress: '10.244.0.7'}],
      conditions: [
        {type: 'Ready', status: 'True'},
        {type: 'SoftwareEmulation', status: 'True', reason: 'NoHardwareVirtualization'},
      ],
      engine: {name: 'qemu', version: '10.0.3', reason: 'the only engine of this node'},
    };
    await send(control, set(instance, 'status', status), '/status');
    const [header, row] = (await kubectl('get', 'vmi', 'shown', '-o', 'wide')).split('\n');
    expect(header?.split(/ {2,}/)).toEqual([
      'NAME',
      'AGE',
      'PHASE',
      'IP',
      'NODENAME',
      'READY',
      'LIVE-MIGRATABLE',
      'PAUSED',
      'ENGINE',
      'EMULATED',
      'MEMORY',
      'GUEST-OS',
    ]);
    expect(row).toMatch(/^shown +\S+ +Running +10\.244\.0\.7 +node-c +True +qemu +True/);
    expect((await kubectl('get', 'vmi', 'shown')).split('\n')[0]?.split(/ {2,}/)).toEqual([
      'NAME',
      'AGE',
      'PHASE',
      'IP',
      'NODENAME',
      'READY',
    ]);
  });
});

describe('status', () => {
  test('has one condition of a type and one time of a phase', async () => {
    const machine = aMachine('twice');
    await send(control, machine);
    const ready = {type: 'Ready', status: 'True'};
    expect((await send(control, set(machine, 'status.conditions', [ready, ready]), '/status')).status).not.toBe(200);
    const instance = anInstance('twice');
    await send(control, instance);
    const running = {phase: 'Running', phaseTransitionTimestamp: '2026-11-24T10:00:00Z'};
    const answer = await send(
      control,
      set(instance, 'status.phaseTransitionTimestamps', [running, running]),
      '/status',
    );
    expect(answer.status).not.toBe(200);
  });

  test('refuses a phase and a printable status that no tool knows', async () => {
    await send(control, anInstance('phases'));
    await send(control, aMachine('phases'));
    expect(
      causes(await send(control, set(anInstance('phases'), 'status.phase', 'Sleeping'), '/status')),
    ).toContainEqual(expect.objectContaining({field: 'status.phase'}));
    const answer = await send(control, set(aMachine('phases'), 'status.printableStatus', 'Sleeping'), '/status');
    expect(causes(answer)).toContainEqual(expect.objectContaining({field: 'status.printableStatus'}));
  });

  test('of a machine is shown as one word', async () => {
    const machine = aMachine('word');
    await send(control, machine);
    await send(control, set(machine, 'status', {printableStatus: 'Stopped', ready: false, created: false}), '/status');
    expect(await kubectl('get', 'vm', 'word', '--no-headers')).toMatch(/^word +\S+ +Stopped/);
  });
});
