/**
 * `node inject.ts PID THREAD CALL`, in a lab node: has a thread of another program make a system call, as somebody would who has taken
 * the thread over, and says what came of it. After a call that is allowed the thread goes on as if nothing had been.
 */
import {readdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import type * as Koffi from 'koffi';

/** Linux's numbers, of ptrace(2)'s requests. */
const ptrace = {peek: 1, singleStep: 9, getRegisters: 12, setRegisters: 13, attach: 16, detach: 17};
/** Of system calls; all arguments are 0. */
const calls: Readonly<Record<string, number>> = {madvise: 28, socket: 41, execve: 59, openat: 257};
/** Offsets in `user_regs_struct`. */
const register = {r10: 56, r9: 64, r8: 72, rax: 80, rdx: 96, rsi: 104, rdi: 112, original: 120, rip: 128};
const REGISTERS_BYTES = 27 * 8;
const WALL = 0x4000_0000;
/** `syscall`. */
const INSTRUCTION = 0x050fn;

const [pid = '', name = '', call = ''] = process.argv.slice(2);
const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
const libc = koffi.load('libc.so.6');
const request = libc.func('long ptrace(long, int, uint64_t, void *)');
const waitpid = libc.func('int waitpid(int, void *, int)');

const threads = readdirSync(`/proc/${pid}/task`).map(Number);
const thread = threads.find(one => readFileSync(`/proc/${pid}/task/${one}/comm`, 'utf8').trim() === name);
if (thread === undefined) throw new Error(`${pid} has no thread ${name}`);

const did = (what: keyof typeof ptrace, data: Buffer | null = null): void => {
  if (request(ptrace[what], thread, 0n, data) !== 0) throw new Error(`ptrace ${what} failed`);
};

/** How it stopped or ended, as wait(2) has it. */
const wait = (): {readonly signal: number; readonly ended: boolean} => {
  const status = Buffer.alloc(4);
  if (waitpid(thread, status, WALL) !== thread) throw new Error('waitpid failed');
  const stopped = status.readUInt8(0) === 0x7f;
  return {signal: stopped ? status.readUInt8(1) : status.readUInt8(0) & 0x7f, ended: !stopped};
};

const peek = (address: bigint): bigint => {
  const word = Buffer.alloc(8);
  // The system call itself, which stores the word; the library's function would return it, and -1 as well.
  const syscall = libc.func('long syscall(long, long, long, uint64_t, void *)');
  if (syscall(101, ptrace.peek, thread, address, word) !== 0) throw new Error('ptrace peek failed');
  return word.readBigUInt64LE();
};

did('attach');
wait();
const before = Buffer.alloc(REGISTERS_BYTES);
did('getRegisters', before);
// It waits in a system call, as threads do here that have nothing to do, and is made to enter another one.
const rip = before.readBigUInt64LE(register.rip) - 2n;
if ((peek(rip) & 0xffffn) !== INSTRUCTION) throw new Error('the thread is not in a system call');
const after = Buffer.from(before);
for (const argument of ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const)
  after.writeBigUInt64LE(0n, register[argument]);
after.writeBigUInt64LE(BigInt(calls[call] ?? -1), register.rax);
// None that could be begun again.
after.writeBigInt64LE(-1n, register.original);
after.writeBigUInt64LE(rip, register.rip);
did('setRegisters', after);
did('singleStep');
const {signal, ended} = wait();
if (!ended) {
  did('setRegisters', before);
  did('detach');
}
process.stdout.write(ended ? `ended by signal ${signal}` : 'went on');
