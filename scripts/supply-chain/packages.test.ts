import {expect, test} from '@jest/globals';
import {exceptions} from './licences.ts';
import {cargoDependencies, npmDependencies, readNpm, unwelcome} from './packages.ts';

const integrity = 'sha512-x';

test('npm’s lockfile: packages of others, by the name that they are imported by', () => {
  const packages = {
    '': {version: '0.1.0'},
    api: {version: '0.1.0'},
    'node_modules/@wherry/api': {link: true, resolved: 'api'},
    'node_modules/pino': {version: '1.0.0', license: 'MIT', integrity},
    'node_modules/a/node_modules/@b/c': {version: '2.0.0', license: 'ISC', integrity},
    'node_modules/fork': {version: '3.0.0', license: 'MIT', resolved: 'git+ssh://git@example.com/fork.git'},
    'node_modules/unsigned': {version: '4.0.0', license: 'MIT'},
  };
  expect(npmDependencies({packages})).toEqual([
    {name: 'pino', version: '1.0.0', licence: 'MIT'},
    {name: '@b/c', version: '2.0.0', licence: 'ISC'},
    {name: 'fork', version: '3.0.0', licence: 'MIT', elsewhere: 'git+ssh://git@example.com/fork.git'},
    {name: 'unsigned', version: '4.0.0', licence: 'MIT', elsewhere: 'an unknown place, for it has no checksum'},
  ]);
});

test('cargo’s metadata: crates that are not of the workspace', () => {
  const source = 'registry+https://github.com/rust-lang/crates.io-index';
  const packages = [
    {name: 'wherry-host', version: '0.1.0', license: 'Apache-2.0', source: null},
    {name: 'libc', version: '0.2.0', license: 'MIT OR Apache-2.0', source},
    {name: 'fork', version: '1.0.0', license: null, source: 'git+https://example.com/fork'},
  ];
  expect(cargoDependencies({packages})).toEqual([
    {name: 'libc', version: '0.2.0', licence: 'MIT OR Apache-2.0'},
    {name: 'fork', version: '1.0.0', licence: '', elsewhere: 'git+https://example.com/fork'},
  ]);
});

test('what may not be depended on is named with the reason', () => {
  const dependencies = [
    {name: 'good', version: '1', licence: 'MIT'},
    {name: 'bad', version: '2', licence: 'GPL-3.0-only'},
    {name: 'fork', version: '3', licence: 'MIT', elsewhere: 'git+https://example.com/fork'},
    {name: 'silent', version: '4', licence: ''},
  ];
  expect(unwelcome(dependencies)).toEqual([
    'bad 2 has the licence "GPL-3.0-only", which scripts/supply-chain/licences.ts does not allow',
    'fork 3 comes from git+https://example.com/fork, not from its registry',
    'silent 4 has the licence "", which scripts/supply-chain/licences.ts does not allow',
  ]);
});

test('an exception is for a package that is there, whose licence is not allowed', async () => {
  const present = await readNpm();
  for (const name of exceptions.keys()) {
    const found = present.find(one => one.name === name);
    expect(unwelcome(found === undefined ? [] : [{...found, name: 'by another name'}])).toHaveLength(1);
  }
});
