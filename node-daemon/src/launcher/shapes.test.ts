import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {helloOf, messageOf, replyOf, statusOf} from './shapes.ts';

const protocolError = expect.objectContaining({code: 'PROTOCOL'});

test('a hello may have a plan or none', () => {
  const hello = {protocol: 1, version: '0.1.0', uid: 'u', state: 'Idle', lastSeq: 0};
  expect(helloOf(hello)).toEqual(hello);
  expect(helloOf({...hello, planId: 'p'})).toEqual({...hello, planId: 'p'});
  expect(helloOf({...hello, planId: null, more: [1]})).toEqual(hello);
});

test.each([
  ['a state that does not exist', {state: 'Dancing'}],
  ['a negative sequence number', {lastSeq: -1}],
  ['a fraction', {lastSeq: 1.5}],
  ['a number beyond what is exact', {lastSeq: 2 ** 60}],
  ['a very long text', {version: 'x'.repeat(10_000)}],
  ['no uid', {uid: undefined}],
  ['no protocol', {protocol: 0}],
  ['a protocol that was not offered', {protocol: 99}],
])('a hello with %s is refused', (_what, wrong) => {
  const hello = {protocol: 1, version: '0.1.0', uid: 'u', state: 'Idle', lastSeq: 0, ...wrong};
  expect(() => helloOf(hello)).toThrow(protocolError);
});

test('a status has leases, but not without end', () => {
  const lease = {interface: 'default', mac: '02:00:00:00:00:01', address: '10.0.2.2'};
  const status = {state: 'Running', lastSeq: 3, enginePid: 7, startedAt: 1, leases: [lease]};
  expect(statusOf(status)).toEqual(status);
  expect(() => statusOf({...status, leases: Array.from({length: 1000}, () => lease)})).toThrow(protocolError);
  expect(() => statusOf({...status, leases: ['x']})).toThrow(protocolError);
});

test('answers, refusals and events are told apart', () => {
  expect(messageOf({id: 1, ok: {a: 1}})).toEqual({at: 'answer', id: 1, ok: {a: 1}});
  expect(messageOf({id: 2, error: {code: 'BadPlan', message: 'm'}})).toEqual({
    at: 'refusal',
    id: 2,
    code: 'BadPlan',
    message: 'm',
  });
  const event = {type: 'exited', outcome: 'PoweredOff', message: ''};
  expect(messageOf({seq: 4, at: 5, event})).toEqual({at: 'event', event: {seq: 4, at: 5, event}});
});

test('events that a newer launcher has are numbered and otherwise passed over', () => {
  expect(messageOf({seq: 4, at: 5, event: {type: 'novelty', x: 1}})).toEqual({
    at: 'event',
    event: {seq: 4, at: 5, event: undefined},
  });
});

test('an engine replies with a value or an error', () => {
  expect(replyOf({reply: {return: []}})).toEqual({return: []});
  expect(replyOf({reply: {error: {class: 'GenericError', desc: 'no'}}})).toEqual({
    error: {class: 'GenericError', desc: 'no'},
  });
  expect(() => replyOf({reply: {}})).toThrow(protocolError);
});

test('any object at all is a message or a protocol error', () => {
  fc.assert(
    fc.property(fc.object({key: fc.constantFrom('id', 'ok', 'seq', 'at', 'event', 'error', 'type', 'code')}), frame => {
      try {
        expect(['answer', 'refusal', 'event']).toContain(messageOf(frame).at);
      } catch (error) {
        expect(error).toEqual(protocolError);
      }
    }),
  );
});

test('texts are fit for terminals and for the API', () => {
  const message = 'panic\u001b[2J\r\n\ud800';
  expect(messageOf({id: 1, error: {code: 'BadPlan', message}})).toMatchObject({message: 'panic�[2J���'});
});

/** What is not of the protocol's shape, near enough to it to get far. */
const nearly = fc.letrec(tie => ({
  value: fc.oneof(
    {depthSize: 'small'},
    fc.constantFrom('state', 'engine', 'lease', 'exited', 'Running', 'PoweredOff', 'BadPlan', '\u0000', '\ud800'),
    fc.constantFrom(0, 1, -1, 1.5, 2 ** 53, Number.MAX_VALUE, null, true),
    fc.array(tie('value'), {maxLength: 3}),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      'id',
      'ok',
      'seq',
      'at',
      'event',
      'error',
      'type',
      'code',
      'message',
      'qmp',
      'data',
      'state',
      'leases',
      'reply',
      'return',
      '__proto__',
    ),
    tie('value'),
  ),
})).object;

test.each([
  ['a message', messageOf],
  ['a hello', helloOf],
  ['a status', statusOf],
  ['a reply', replyOf],
] as const)('whatever is nearly %s is one or a protocol error', (_what, read) => {
  fc.assert(
    fc.property(nearly, frame => {
      try {
        read(frame);
      } catch (error) {
        expect(error).toEqual(protocolError);
      }
    }),
    {numRuns: 500},
  );
});
