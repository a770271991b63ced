import {expect, test} from '@jest/globals';
import {conditionProblem, type InstanceStatus} from '@wherry/api';
import {machine, nic} from '../testing/machines.ts';
import {blockedStatus, goneStatus, type RunningFacts, runningStatus} from './status.ts';

const NOW = Date.parse('2026-11-24T10:00:00.500Z');
const LATER = NOW + 60_000;

const facts = (overrides: Partial<RunningFacts> = {}): RunningFacts => ({
  machine: machine(),
  machineType: 'pc-q35-10.0',
  engine: {name: 'qemu', version: '10.0.13', reason: 'it is the only engine of this version'},
  podAddresses: ['10.244.1.7'],
  paused: undefined,
  probed: false,
  failedDisks: [],
  hangs: false,
  agent: undefined,
  ...overrides,
});

const condition = (status: InstanceStatus | undefined, type: string) =>
  status?.conditions?.find(one => one.type === type);

const emulated = {type: 'SoftwareEmulation', status: 'True', reason: 'NoHardwareVirtualization'} as const;
const scheduled: InstanceStatus = {
  phase: 'Scheduled',
  phaseTransitionTimestamps: [{phase: 'Scheduled', phaseTransitionTimestamp: '2026-11-24T09:59:59Z'}],
  conditions: [
    {type: 'Ready', status: 'False', reason: 'GuestNotRunning'},
    {type: 'Synchronized', status: 'False', reason: 'StartFailed'},
    emulated,
  ],
  volumeStatus: [{name: 'data', target: '', persistentVolumeClaimInfo: {claimName: 'c'}}],
};

test('an engine that does not answer is not known to run its guest, and nobody takes it for gone', () => {
  const running = {...scheduled, ...runningStatus(scheduled, facts(), NOW)};
  const hung = runningStatus(running, facts({hangs: true}), LATER);
  const active = condition(hung, 'wherry.dev/EngineActive');
  expect(active).toMatchObject({status: 'Unknown', reason: 'EngineUnresponsive'});
  expect(conditionProblem('VirtualMachineInstance', active!)).toBeUndefined();
  expect(runningStatus({...running, ...hung}, facts({hangs: true}), LATER + 1)).toBeUndefined();
  const well = runningStatus({...running, ...hung}, facts(), LATER);
  expect(condition(well, 'wherry.dev/EngineActive')).toMatchObject({status: 'True', reason: 'EngineStarted'});
  // That is the operator's to say.
  expect(condition(well, 'Ready')).toEqual(condition(running, 'Ready'));
});

test('an interface is up or down as the guest sees it', () => {
  const interfaces = [nic(), nic({name: 'dark', isLinkUp: false})];
  const status = runningStatus(scheduled, facts({machine: machine({interfaces})}), NOW);
  expect(status?.interfaces?.map(({linkState}) => linkState)).toEqual(['up', 'down']);
});

test('one write says all that is true of a guest that has come up', () => {
  const status = runningStatus(scheduled, facts(), NOW);
  expect(status).toMatchObject({
    phase: 'Running',
    phaseTransitionTimestamps: [
      {phase: 'Scheduled'},
      {phase: 'Running', phaseTransitionTimestamp: '2026-11-24T10:00:00Z'},
    ],
    interfaces: [
      {
        name: 'default',
        mac: '02:00:00:00:00:01',
        ipAddress: '10.244.1.7',
        ipAddresses: ['10.244.1.7'],
        podInterfaceName: 'eth0',
        infoSource: 'domain',
      },
    ],
    engine: {name: 'qemu', version: '10.0.13'},
    machine: {type: 'pc-q35-10.0'},
    memory: {guestAtBoot: '1Gi', guestCurrent: '1Gi', guestRequested: '1Gi'},
    currentCPUTopology: {sockets: 1, cores: 2, threads: 1},
  });
  expect(condition(status, 'Ready')).toMatchObject({status: 'True', lastTransitionTime: '2026-11-24T10:00:00Z'});
  expect(condition(status, 'wherry.dev/EngineActive')).toMatchObject({status: 'True', reason: 'EngineStarted'});
});

test('whether a guest with a readiness probe is ready is left to its pod', () => {
  const status = runningStatus(scheduled, facts({probed: true}), NOW);
  expect(status?.phase).toBe('Running');
  expect(condition(status, 'Ready')).toEqual({type: 'Ready', status: 'False', reason: 'GuestNotRunning'});
});

test('what the operator wrote stays, and what stood in the way is cleared', () => {
  const status = runningStatus(scheduled, facts(), NOW);
  expect(condition(status, 'SoftwareEmulation')).toEqual(emulated);
  expect(condition(status, 'Synchronized')).toBeUndefined();
  expect(status?.volumeStatus).toEqual([
    {name: 'data', target: 'vdb', phase: 'Ready', persistentVolumeClaimInfo: {claimName: 'c'}},
    {name: 'root', target: 'vda', phase: 'Ready'},
    {name: 'scratch', target: 'vdc', phase: 'Ready'},
    {name: 'seed', target: 'sda', phase: 'Ready'},
  ]);
});

test('nothing is written when nothing changed, after a restart of the daemon either', () => {
  const after = {...scheduled, ...runningStatus(scheduled, facts(), NOW)};
  expect(runningStatus(after, facts(), LATER)).toBeUndefined();
  expect(runningStatus(JSON.parse(JSON.stringify(after)) as InstanceStatus, facts(), LATER)).toBeUndefined();
});

test('whether a running guest’s pod is ready stays the operator’s to say', () => {
  const after: InstanceStatus = {...scheduled, ...runningStatus(scheduled, facts(), NOW)};
  const unready = {
    ...after,
    conditions: after.conditions!.map(one => (one.type === 'Ready' ? {...one, status: 'False' as const} : one)),
  };
  expect(runningStatus(unready, facts(), LATER)).toBeUndefined();
});

test('a guest agent adds the guest’s own words, and is missed when it falls silent', () => {
  const agent = {os: {id: 'debian', prettyName: 'Debian'}, interfaceNames: new Map([['02:00:00:00:00:01', 'enp1s0']])};
  const before = {...scheduled, ...runningStatus(scheduled, facts(), NOW)};
  const after = runningStatus(before, facts({agent}), LATER);
  expect(after).toMatchObject({
    guestOSInfo: {id: 'debian'},
    interfaces: [{interfaceName: 'enp1s0', infoSource: 'domain, guest-agent'}],
  });
  expect(condition(after, 'AgentConnected')).toMatchObject({status: 'True'});
  expect(after).not.toHaveProperty('memory');
  const silent = runningStatus({...before, ...after}, facts(), LATER);
  expect(condition(silent, 'AgentConnected')).toMatchObject({status: 'False', reason: 'AgentSilent'});
});

test('while an agent is being asked, what was said of it stays', () => {
  const agent = {os: {id: 'debian'}, interfaceNames: new Map([['02:00:00:00:00:01', 'enp1s0']])};
  const answered = {...scheduled, ...runningStatus(scheduled, facts({agent}), NOW)};
  expect(runningStatus(answered, facts({agent: 'asked'}), LATER)).toBeUndefined();
  const never = runningStatus(scheduled, facts({agent: 'asked'}), NOW);
  expect(condition(never, 'AgentConnected')).toBeUndefined();
  expect(never).not.toHaveProperty('guestOSInfo');
});

test('a paused guest says so, and no longer once it runs on', () => {
  const before = {...scheduled, ...runningStatus(scheduled, facts(), NOW)};
  const paused = runningStatus(before, facts({paused: 'user'}), LATER);
  expect(condition(paused, 'Paused')).toMatchObject({status: 'True', reason: 'PausedByUser'});
  const resumed = runningStatus({...before, ...paused}, facts(), LATER);
  expect(condition(resumed, 'Paused')).toBeUndefined();
});

test('a guest that a failed disk stopped says that, and what to do', () => {
  const failedDisks = [
    {disk: 'data', full: true},
    {disk: 'old', full: false},
  ];
  const failed = runningStatus(scheduled, facts({paused: 'ioError', failedDisks}), NOW);
  expect(condition(failed, 'Paused')).toMatchObject({
    status: 'True',
    reason: 'PausedIOError',
    message:
      'VMI was paused, low-level IO error detected: the volume data is full: make room in it, the volume old cannot be ' +
      'read or written: mend its storage. It is resumed by itself, a minute later at most',
  });
});

test('a guest that starts paused is not ready from its first report on', () => {
  const status = runningStatus(scheduled, facts({paused: 'user'}), NOW);
  expect(status?.phase).toBe('Running');
  expect(condition(status, 'Ready')).toMatchObject({status: 'False', reason: 'GuestPaused'});
});

test('an engine that is gone is one condition, written once', () => {
  const status = goneStatus({phase: 'Running'}, 'PodGone', 'the pod is gone', NOW);
  expect(status).toEqual({
    conditions: [
      {
        type: 'wherry.dev/EngineActive',
        status: 'False',
        reason: 'PodGone',
        message: 'the pod is gone',
        lastTransitionTime: '2026-11-24T10:00:00Z',
      },
    ],
  });
  expect(goneStatus(status, 'PodGone', 'the pod is gone', LATER)).toBeUndefined();
});

test('a start that fails in the same way again is written once', () => {
  const status = blockedStatus(scheduled, 'no room', NOW);
  expect(condition(status, 'Synchronized')).toMatchObject({status: 'False', message: 'no room'});
  expect(blockedStatus({...scheduled, ...status}, 'no room', LATER)).toBeUndefined();
});

test('every condition that the daemon writes has a reason from the list', () => {
  const agent = {os: {}, interfaceNames: new Map<string, string>()};
  const before = {...scheduled, ...runningStatus(scheduled, facts({agent, paused: 'user'}), NOW)};
  const written = [
    blockedStatus(scheduled, 'no room', NOW),
    before,
    runningStatus(before, facts(), LATER),
    goneStatus(before, 'EngineExited', 'it has ended', LATER),
    goneStatus(before, 'PodGone', 'the pod is gone', LATER),
  ];
  for (const status of written) {
    for (const one of status?.conditions ?? [])
      expect([one, conditionProblem('VirtualMachineInstance', one)]).toEqual([one, undefined]);
  }
});
