/** What the project depends on, as its lockfiles have it. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import {exceptions, isAllowed} from './licences.ts';

/** A package of somebody else. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or nothing. */
  readonly licence: string;
  /** Where it comes from, where that is not the registry of its kind. */
  readonly elsewhere?: string;
}

interface NpmLock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly license?: string;
        readonly resolved?: string;
        readonly link?: boolean;
        readonly integrity?: string;
      }
    >
  >;
}

/** Of a package-lock.json of npm, without the workspaces. The registry's own addresses are left out of it: .npmrc. */
export const npmDependencies = ({packages}: NpmLock): readonly Dependency[] =>
  Object.entries(packages)
    .filter(([path, {link}]) => path.includes('node_modules/') && link !== true)
    .map(([path, {version = '', license = '', resolved, integrity}]) => {
      const elsewhere = resolved ?? (integrity === undefined ? 'an unknown place, for it has no checksum' : undefined);
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return {name, version, licence: license, ...(elsewhere === undefined ? {} : {elsewhere})};
    });

interface CargoMetadata {
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
    /** Null for what lies in the workspace. */
    readonly source: string | null;
  }[];
}

const cratesIo = 'registry+https://github.com/rust-lang/crates.io-index';

/** Of what `cargo metadata` writes, without the workspace. */
export const cargoDependencies = ({packages}: CargoMetadata): readonly Dependency[] =>
  packages
    .filter(({source}) => source !== null)
    .map(({name, version, license, source}) => ({
      name,
      version,
      licence: license ?? '',
      ...(source === cratesIo ? {} : {elsewhere: source!}),
    }));

export const readNpm = async (): Promise<readonly Dependency[]> =>
  npmDependencies(JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')) as NpmLock);

export const readCargo = async (): Promise<readonly Dependency[]> => {
  const args = ['metadata', '--format-version', '1', '--locked'];
  return cargoDependencies(JSON.parse(await run('cargo', args, {cwd: repository})) as CargoMetadata);
};

/** A line for each package that may not be depended on. */
export const unwelcome = (dependencies: readonly Dependency[]): readonly string[] =>
  dependencies.flatMap(({name, version, licence, elsewhere}) => [
    ...(elsewhere === undefined ? [] : [`${name} ${version} comes from ${elsewhere}, not from its registry`]),
    ...(isAllowed(licence) || exceptions.has(name)
      ? []
      : [`${name} ${version} has the licence "${licence}", which scripts/supply-chain/licences.ts does not allow`]),
  ]);
