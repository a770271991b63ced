import {expect, test} from '@jest/globals';
import {Blank, machineText} from './text.ts';

test('it is JSON, with blanks where values are', () => {
  const text = machineText({
    fd: Blank.descriptor('kvm'),
    disk: Blank.file('/p/disk.img', 'rw,auto'),
    cache: Blank.byDirectIo('/p/disk.img', 'writeback', 'writethrough'),
    block: Blank.blockSize('/p'),
    list: [1, true, 'a'],
    left: undefined,
  });
  expect(text).toBe(
    '{"fd":{fd:kvm},"disk":{open:/p/disk.img?rw,auto},"cache":"{direct:/p/disk.img?writeback:writethrough}",' +
      '"block":{blocksize:/p},"list":[1,true,"a"]}',
  );
});

test('no text of a user is taken for a blank, and none is changed', () => {
  const mine = 'root=/dev/vda {open:/etc/passwd?ro} {fd:kvm} "quoted" \\ {';
  const text = machineText({commandLine: mine});
  expect(text.match(/\{/g)).toHaveLength(1);
  expect(JSON.parse(text)).toEqual({commandLine: mine});
});

test('a path that could be more than a path is refused', () => {
  for (const path of ['/boot/a}', '/boot/{fd:kvm', '/boot/a\n'])
    expect(() => Blank.file(path, 'ro')).toThrow(/takes no path with braces/);
});
