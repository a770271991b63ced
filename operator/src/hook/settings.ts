import type {OwnerReference} from '@wherry/api';
import {SettingsError} from '../errors.ts';

interface UninstallSettings {
  readonly hook: 'uninstall-check' | 'uninstall-release';
  readonly namespace: string;
  readonly release: string;
}

interface TestSettings {
  readonly hook: 'test-guest';
  readonly key: {readonly namespace: string; readonly name: string};
  readonly image: string;
  readonly expect: string;
  readonly timeoutMs: number;
  readonly owner: OwnerReference;
}

export type HookSettings = UninstallSettings | TestSettings;

type Environment = Readonly<Record<string, string | undefined>>;

const required = (env: Environment, name: string): string => {
  const value = env[name] ?? '';
  if (value === '') throw new SettingsError(`${name} is not set: the chart sets it`);
  return value;
};

/** @throws SettingsError that names the argument or variable. */
export const hookSettings = ([hook]: readonly string[], env: Environment): HookSettings => {
  switch (hook) {
    case 'uninstall-check':
    case 'uninstall-release':
      return {hook, namespace: required(env, 'POD_NAMESPACE'), release: required(env, 'RELEASE')};
    case 'test-guest':
      return {hook, ...testSettings(env)};
    case undefined:
    default:
      throw new SettingsError(`there is no hook "${hook}": name uninstall-check, uninstall-release or test-guest`);
  }
};

const testSettings = (env: Environment): Omit<TestSettings, 'hook'> => {
  const [name, uid] = [required(env, 'POD_NAME'), required(env, 'POD_UID')];
  return {
    // A test that was cut off leaves a machine for a moment: the next has another name.
    key: {namespace: required(env, 'POD_NAMESPACE'), name: `${name}-${uid.slice(0, 8)}`},
    image: required(env, 'TEST_IMAGE'),
    expect: required(env, 'TEST_EXPECT'),
    timeoutMs: seconds(required(env, 'TEST_TIMEOUT_SECONDS')) * 1000,
    owner: {apiVersion: 'v1', kind: 'Pod', name, uid},
  };
};

const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new SettingsError(`TEST_TIMEOUT_SECONDS is "${text}": it must be a number of seconds`);
  return value;
};
