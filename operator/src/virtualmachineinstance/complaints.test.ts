import {expect, test} from '@jest/globals';
import {ApiError, type Client, type Event} from '@wherry/kube';
import {Complaints} from './complaints.ts';
import type {Stuck, Suspect} from './stuck.ts';

const began = Date.parse('2026-01-01T00:00:00Z');
const pod: Suspect = {kind: 'Pod', namespace: 'default', name: 'launcher', uid: 'pod-uid'};
const claim: Suspect = {kind: 'PersistentVolumeClaim', namespace: 'default', name: 'data', uid: 'claim-uid'};
const stuck: Stuck = {podUid: 'pod-uid', since: began, suspects: [pod]};

const event = (reason: string, seconds: number, rest: Partial<Event> = {}): Event =>
  ({
    type: 'Warning',
    reason,
    message: `${reason} at ${seconds}`,
    lastTimestamp: new Date(began + seconds * 1000).toISOString(),
    metadata: {},
    ...rest,
  }) as Event;

/** Events that the API server has, and what it was asked. */
const server = (events: readonly Event[] | Error) => {
  const asked: object[] = [];
  const page = async (_resource: unknown, selection: object) => {
    asked.push(selection);
    if (events instanceof Error) throw events;
    return {items: events, resourceVersion: '1'};
  };
  return {asked, client: {page} as unknown as Pick<Client, 'page'>};
};

const listening = (events: readonly Event[] | Error) => {
  const {asked, client} = server(events);
  let now = began;
  const complaints = new Complaints(client, {now: () => now});
  const at = (seconds: number, about: Stuck = stuck) => {
    now = began + seconds * 1000;
    return complaints.about(about, new AbortController().signal);
  };
  return {asked, at};
};

test('an undisturbed start asks nothing: the first five seconds are the pod’s own', async () => {
  const {asked, at} = listening([]);
  expect(await at(2)).toEqual({complaints: [], againMs: 3000});
  expect(asked).toEqual([]);
});

test('then it asks for the events of that one pod, and keeps the answer between two looks', async () => {
  const {asked, at} = listening([event('FailedMount', 4)]);
  const heard = await at(5);
  expect(heard).toMatchObject({complaints: [{about: pod, reason: 'FailedMount'}], againMs: 5000});
  expect(asked).toEqual([{namespace: 'default', fieldSelector: 'involvedObject.uid=pod-uid', limit: 100}]);
  expect((await at(8)).complaints).toEqual(heard.complaints);
  expect(asked).toHaveLength(1);
});

test('it looks less and less often, and at least once a minute', async () => {
  const {asked, at} = listening([]);
  const times: number[] = [];
  for (let seconds = 0; seconds <= 300; seconds += 1) {
    const before = asked.length;
    await at(seconds);
    if (asked.length > before) times.push(seconds);
  }
  expect(times).toEqual([5, 10, 20, 40, 80, 140, 200, 260]);
});

test('a complaint is a warning; of a claim also what keeps it unbound, but not that it waits for its pod', async () => {
  const events = [
    event('ProvisioningFailed', 3),
    event('FailedBinding', 2, {type: 'Normal'}),
    event('WaitForFirstConsumer', 4, {type: 'Normal'}),
    event('Provisioning', 5, {type: 'Normal'}),
  ];
  const ofClaim = await listening(events).at(6, {...stuck, suspects: [claim]});
  expect(ofClaim.complaints.map(({reason}) => reason)).toEqual(['ProvisioningFailed', 'FailedBinding']);
  const ofPod = await listening([event('Scheduled', 1, {type: 'Normal'})]).at(6);
  expect(ofPod.complaints).toEqual([]);
});

test('the newest comes first, and what was not repeated for long is settled', async () => {
  const settled = event('FailedMount', 0, {message: 'secret "old" not found'});
  const fresh = event('FailedMount', 200, {message: 'secret "new" not found'});
  const counted = event('FailedMount', 0, {
    message: 'secret "counted" not found',
    series: {count: 2, lastObservedTime: new Date(began + 199_000).toISOString()},
  });
  const {complaints} = await listening([settled, counted, fresh]).at(300);
  expect(complaints.map(({message}) => message)).toEqual(['secret "new" not found', 'secret "counted" not found']);
});

test('an API server that gives no events stops no run', async () => {
  const refusal = new ApiError(403, {reason: 'Forbidden', message: 'no'}, {call: 'GET /events'});
  expect((await listening(refusal).at(6)).complaints).toEqual([]);
  await expect(listening(new TypeError('a bug')).at(6)).rejects.toThrow('a bug');
});

test('it forgets the pod that it remembered first when there are too many', async () => {
  const {asked, client} = server([]);
  const complaints = new Complaints(client, {now: () => began + 6000}, 1);
  const {signal} = new AbortController();
  for (const podUid of ['one', 'two', 'two', 'one']) await complaints.about({...stuck, podUid}, signal);
  expect(asked).toHaveLength(3);
});
