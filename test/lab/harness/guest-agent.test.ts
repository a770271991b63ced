import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {GuestAgent} from './guest-agent.ts';

interface Request {
  readonly execute: string;
  readonly arguments: Record<string, unknown>;
}

/** Answers a request, or says nothing. */
type Answers = (request: Request, socket: Socket) => unknown;

let folder: string;
let server: Server;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-agent-'));
  path = join(folder, 'agent');
});

afterEach(async () => {
  server.close();
  await rm(folder, {recursive: true});
});

/** An agent that listens late: it never hears the first requests. */
const listen = (answers: Answers, deaf = 0): void => {
  let heard = 0;
  server = createServer(socket => {
    createInterface({input: socket}).on('line', line => {
      const request = JSON.parse(line) as Request;
      if (heard++ < deaf) return;
      const answer = request.execute === 'guest-sync' ? {return: request.arguments['id']} : answers(request, socket);
      if (answer !== undefined) socket.write(`${JSON.stringify(answer)}\n`);
    });
  }).listen(path);
};

const soon = (): AbortSignal => AbortSignal.timeout(5000);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A program that ends when it has been looked at twice. */
const ends = (end: object): Answers => {
  let looks = 0;
  return ({execute}) => {
    if (execute === 'guest-exec') return {return: {pid: 7}};
    return {return: ++looks < 2 ? {exited: false} : {exited: true, ...end}};
  };
};

test('meets an agent that begins to listen late', async () => {
  listen(ends({exitcode: 0}), 2);
  using _ = await connected();
});

test('a program’s status and output come back when it has ended', async () => {
  listen(ends({exitcode: 3, 'out-data': base64('said'), 'err-data': base64('complained')}));
  using agent = await connected();
  expect(await agent.run('/bin/x', ['a'], [], soon())).toEqual({status: 3, stdout: 'said', stderr: 'complained'});
});

test('a signal that ended a program is told as a shell tells it', async () => {
  listen(ends({signal: 9}));
  using agent = await connected();
  expect(await agent.run('/bin/x', [], [], soon())).toEqual({status: 137, stdout: '', stderr: ''});
});

test('a program that cannot be started says why', async () => {
  listen(() => ({error: {desc: 'no such file'}}));
  using agent = await connected();
  await expect(agent.run('/bin/x', [], [], soon())).rejects.toThrow('no such file');
});

test('a file is read to its end, and closed', async () => {
  const parts = [
    {'buf-b64': base64('one '), eof: false},
    {'buf-b64': base64('two'), eof: true},
  ];
  const asked: string[] = [];
  listen(({execute}) => {
    asked.push(execute);
    return {return: execute === 'guest-file-open' ? 5 : execute === 'guest-file-read' ? parts.shift() : {}};
  });
  using agent = await connected();
  expect((await agent.read('/file')).toString()).toBe('one two');
  expect(asked.at(-1)).toBe('guest-file-close');
});

test('whoever waits is told when the machine dies', async () => {
  listen((_, socket) => void socket.destroy());
  using agent = await connected();
  await expect(agent.run('/bin/x', [], [], soon())).rejects.toThrow('hung up');
});

test('a machine that never answers is given up', async () => {
  listen(() => undefined, Number.POSITIVE_INFINITY);
  await expect(GuestAgent.connect(path, AbortSignal.timeout(300))).rejects.toThrow();
});

const connected = async (): Promise<GuestAgent & Disposable> => {
  const agent = await GuestAgent.connect(path, soon());
  return Object.assign(agent, {[Symbol.dispose]: () => agent.close()});
};
