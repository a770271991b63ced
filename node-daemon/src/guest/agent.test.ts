import {duplexPair, type Duplex} from 'node:stream';
import {expect, test} from '@jest/globals';
import {converse} from './agent.ts';

const ID = 4711;

type Say = (answer: unknown) => void;

/** An agent that answers each question by `answer`; lines as qemu-ga writes them. */
const agent = (answer: (execute: string, say: Say, args: {id?: number}) => void): Duplex => {
  const [ours, theirs] = duplexPair();
  let held = '';
  theirs.setEncoding('latin1');
  theirs.on('data', (text: string) => {
    held += text;
    for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
      const line = held.slice(0, end).replaceAll('\xff', '');
      held = held.slice(end + 1);
      const {execute, arguments: args = {}} = JSON.parse(line) as {execute: string; arguments?: {id?: number}};
      answer(execute, value => theirs.write(`${JSON.stringify({return: value})}\n`), args);
    }
  });
  return ours;
};

const debian = {
  'guest-get-osinfo': {id: 'debian', name: 'Debian GNU/Linux', 'pretty-name': 'Debian 13', 'kernel-release': '6.12'},
  'guest-network-get-interfaces': [
    {name: 'lo', 'hardware-address': '00:00:00:00:00:00'},
    {name: 'enp1s0', 'hardware-address': '02:AA:00:00:00:01', 'ip-addresses': []},
  ],
};

const wellBehaved = (facts: Record<string, unknown>): Duplex =>
  agent((execute, say, {id}) => say(execute === 'guest-sync-delimited' ? id : facts[execute]));

test('an agent tells the system and the names of the interfaces', async () => {
  const facts = await converse(wellBehaved(debian), ID);
  expect(facts.os).toEqual({id: 'debian', name: 'Debian GNU/Linux', prettyName: 'Debian 13', kernelRelease: '6.12'});
  expect(facts.interfaceNames.get('02:aa:00:00:00:01')).toBe('enp1s0');
});

test('what an earlier question left in the channel is passed over', async () => {
  const stream = agent((execute, say, {id}) => say(execute === 'guest-sync-delimited' ? id : {}));
  const [ours, theirs] = duplexPair();
  ours.on('data', chunk => stream.write(chunk));
  stream.on('data', (chunk: Buffer) => {
    const first = chunk.includes(String(ID));
    ours.write(first ? Buffer.concat([Buffer.from('{"return": {"half'), Buffer.from([0xff]), chunk]) : chunk);
  });
  await expect(converse(theirs, ID)).resolves.toEqual({os: {}, interfaceNames: new Map()});
});

test.each([
  [
    'texts that are none or far too long',
    {'guest-get-osinfo': {id: 7, name: 'x'.repeat(9999), version: '13'}},
    {version: '13'},
  ],
  [
    'texts that a terminal would obey, or half a character',
    {'guest-get-osinfo': {id: 'debian', name: 'a\u001b[2J', version: '\ud800', machine: 'a\u202eb'}},
    {id: 'debian'},
  ],
  ['brackets without end', {'guest-get-osinfo': Array.from({length: 40_000}, () => [])}, {}],
  ['no object at all', {'guest-get-osinfo': 'debian', 'guest-network-get-interfaces': 'eth0'}, {}],
])('a guest that says %s is believed only the rest', async (_what, facts, os) => {
  expect((await converse(wellBehaved(facts), ID)).os).toEqual(os);
});

test('the error that the delimiter itself causes is no answer', async () => {
  const stream = agent((execute, say, {id}) => {
    if (execute === 'guest-sync-delimited') say(undefined);
    say(execute === 'guest-sync-delimited' ? id : {id: 'debian'});
  });
  expect((await converse(stream, ID)).os).toEqual({id: 'debian'});
});

test('an agent that answers another question is not believed', async () => {
  const stream = agent((_execute, say) => {
    for (let n = 0; n < 20; n++) say(1);
  });
  await expect(converse(stream, ID)).rejects.toMatchObject({code: 'PROTOCOL'});
});

test('an agent that never ends its answer is given up', async () => {
  const [ours, theirs] = duplexPair();
  theirs.on('data', () => theirs.write('x'.repeat(65_536)));
  theirs.on('error', () => {});
  const big = converse(ours, ID);
  theirs.write('x'.repeat(300_000));
  await expect(big).rejects.toMatchObject({code: 'PROTOCOL'});
});

test('a channel that closes is an error, not a wait', async () => {
  const [ours, theirs] = duplexPair();
  const waits = converse(ours, ID);
  theirs.destroy();
  await expect(waits).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
});

test('a question that nobody wants answered any more ends at once', async () => {
  const [ours] = duplexPair();
  const stop = new AbortController();
  const waits = converse(ours, ID, stop.signal);
  stop.abort();
  await expect(waits).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
  expect(ours.destroyed).toBe(true);
});
