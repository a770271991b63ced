import {readFileSync} from 'node:fs';
import {expect, test} from '@jest/globals';
import koffi, {type TypeObject} from 'koffi';
import {ABI_VERSION, openLibrary, structs} from './library.ts';
import {libraryPath} from './load.ts';
import {testNative} from './testing.ts';

const rust = (file: string): string => readFileSync(new URL(`../ffi/src/${file}`, import.meta.url), 'utf8');

const layout = (type: TypeObject): object => ({
  size: koffi.sizeof(type),
  offsets: Object.fromEntries(Object.entries(type.members ?? {}).map(([name, member]) => [name, member.offset])),
});

test('structs lie in memory as the Rust side asserts', () => {
  expect(layout(structs().error)).toEqual({size: 512, offsets: {code: 0, errno: 4, message: 8}});
  expect(layout(structs().connection)).toEqual({size: 16, offsets: {fd: 0, pid: 4, uid: 8, gid: 12}});
  expect(rust('error_out.rs')).toContain('size_of::<ErrorOut>() == 512');
  expect(rust('error_out.rs')).toContain('offset_of!(ErrorOut, message) == 8');
  expect(rust('calls.rs')).toContain('size_of::<ConnectionOut>() == 16');
});

test('both sides name the same version', () => {
  expect(rust('lib.rs')).toContain(`pub const ABI_VERSION: u32 = ${ABI_VERSION};`);
});

test('every exported function is bound and every bound one is exported', () => {
  const exported = ['lib.rs', 'calls.rs', 'jobs.rs'].flatMap(file =>
    [...rust(file).matchAll(/extern "C" fn (wherry_\w+)/g)].map(match => match[1]),
  );
  const source = readFileSync(new URL('library.ts', import.meta.url), 'utf8');
  const bound = [...source.matchAll(/'(wherry_\w+)'/g)].map(match => match[1]);
  expect(new Set(bound)).toEqual(new Set(exported));
  expect(bound).toHaveLength(exported.length);
});

testNative('an argument of the wrong type is refused before it can be followed as an address', () => {
  const library = openLibrary(libraryPath());
  const refused = expect.objectContaining({code: 'InvalidArgument'});
  const loose = library as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  expect(() => loose['openDir']?.(5)).toThrow(refused);
  expect(() => loose['openDir']?.(null)).toThrow(refused);
  expect(() => loose['openDir']?.()).toThrow(refused);
  expect(() => loose['openDir']?.('/tmp', 1)).toThrow(refused);
  expect(() => loose['openDir']?.('/tmp\0/x')).toThrow(refused);
  expect(() => loose['pidfdAlive']?.('1')).toThrow(refused);
  expect(() => loose['pidfdAlive']?.(1.5)).toThrow(refused);
  expect(() => loose['pidfdAlive']?.(2 ** 31)).toThrow(refused);
  expect(() => loose['pidfdOpen']?.(1, 0)).toThrow(refused);
  expect(() => loose['pidfdOpen']?.(1, -1n)).toThrow(refused);
  expect(() => loose['kvm']?.([0], new Int32Array(1), 1)).toThrow(refused);
  expect(() => loose['handOver']?.(3, 's', 4096, 4, new Int32Array(), 0, -1, 1)).toThrow(refused);
  expect(() => loose['handOver']?.(3, 's', new Uint8Array(), 0, new Int32Array(), 0, 2 ** 53, 1)).toThrow(refused);
});

testNative('a message with other than ASCII arrives whole', () => {
  const library = openLibrary(libraryPath());
  expect(() => library.openDir('/no/such/fólder')).toThrow(
    expect.objectContaining({code: 'NotFound', errno: 2, message: expect.stringContaining('/no/such/fólder')}),
  );
});
