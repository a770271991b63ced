import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {guestFiles, packInitrd} from './initrd.ts';

let scratch: string;
let listing: string[];

/** A root as the Debian packages leave it, with a busybox that knows three commands. */
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'initrd-'));
  const parts = join(scratch, 'parts');
  for (const folder of ['usr/bin', 'usr/sbin', 'etc']) mkdirSync(join(parts, folder), {recursive: true});
  symlinkSync('usr/bin', join(parts, 'bin'));
  writeFileSync(join(parts, 'usr/bin/busybox'), '#!/bin/sh\nprintf "init\\nsh\\nkept\\n"\n', {mode: 0o755});
  writeFileSync(join(parts, 'usr/bin/kept'), 'a program of its own');
  for (const name of ['first', 'second']) await packInitrd(parts, join(scratch, name));
  const archive = readFileSync(join(scratch, 'first'));
  listing = execFileSync('cpio', ['--quiet', '-tvn'], {input: archive, encoding: 'utf8'}).split('\n');
});
afterAll(() => rmSync(scratch, {recursive: true}));

const entry = (path: string): string => listing.find(line => line.includes(` ${path}`)) ?? `${path} is not there`;

test('the kernel finds an init, which is busybox', () => {
  expect(entry('init ->')).toMatch(/init -> bin\/init$/);
  expect(entry('usr/bin/init')).toMatch(/init -> busybox$/);
});

test('a command of busybox takes no program away', () => {
  expect(entry('usr/bin/kept')).toMatch(/^-/);
});

test('everything belongs to root, whoever packs it', () => {
  const owners = listing.filter(line => line !== '').map(line => line.split(/\s+/).slice(2, 4).join(':'));
  expect(new Set(owners)).toEqual(new Set(['0:0']));
});

test("root's folder is closed to others", () => {
  expect(listing.find(line => line.endsWith(' root'))).toMatch(/^drwx------/);
});

test('the same content packs to the same bytes', () => {
  expect(readFileSync(join(scratch, 'first')).equals(readFileSync(join(scratch, 'second')))).toBe(true);
});

const scripts = readdirSync(guestFiles, {recursive: true, withFileTypes: true})
  .filter(file => file.isFile())
  .map(file => join(file.parentPath, file.name))
  .filter(file => readFileSync(file, 'utf8').startsWith('#!/bin/sh'));

test.each(scripts.map(file => [file.slice(guestFiles.length + 1), file]))(
  '%s is a script and can be run',
  (_, file) => {
    execFileSync('sh', ['-n', file]);
    expect(entry(file.slice(guestFiles.length + 1))).toMatch(/^-rwxr-xr-x/);
  },
);
