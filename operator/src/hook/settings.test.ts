import {expect, test} from '@jest/globals';
import {hookSettings} from './settings.ts';

const env = {
  POD_NAMESPACE: 'vms',
  POD_NAME: 'wherry-test',
  POD_UID: '0a1b2c3d-4e5f',
  RELEASE: 'boats',
  TEST_IMAGE: 'guest:1',
  TEST_EXPECT: 'login:',
  TEST_TIMEOUT_SECONDS: '90',
};

test.each(['uninstall-check', 'uninstall-release'] as const)('%s needs to know its release', hook => {
  expect(hookSettings([hook], env)).toEqual({hook, namespace: 'vms', release: 'boats'});
  expect(() => hookSettings([hook], {...env, RELEASE: ''})).toThrow('RELEASE is not set');
});

test('the machine of a test has a name of its own and goes with the test’s pod', () => {
  expect(hookSettings(['test-guest'], env)).toEqual({
    hook: 'test-guest',
    key: {namespace: 'vms', name: 'wherry-test-0a1b2c3d'},
    image: 'guest:1',
    expect: 'login:',
    timeoutMs: 90_000,
    owner: {apiVersion: 'v1', kind: 'Pod', name: 'wherry-test', uid: '0a1b2c3d-4e5f'},
  });
});

test.each(['', 'soon', '0', '-1'])('a time of "%s" is refused', text => {
  expect(() => hookSettings(['test-guest'], {...env, TEST_TIMEOUT_SECONDS: text})).toThrow('TEST_TIMEOUT_SECONDS');
});

test.each([[[]], [['uninstall']]])('there is no hook %j', args => {
  expect(() => hookSettings(args, env)).toThrow(/name uninstall-check, uninstall-release or test-guest/);
});
