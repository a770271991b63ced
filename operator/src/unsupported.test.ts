import {expect, test} from '@jest/globals';
import {anInstanceSpec} from './testing/fixtures.ts';
import {unsupportedIn} from './unsupported.ts';

test('an object that asks only for what there is may start', () => {
  expect(unsupportedIn({spec: anInstanceSpec(), annotations: undefined})).toBeUndefined();
  expect(unsupportedIn({spec: anInstanceSpec(), annotations: {team: 'web'}})).toBeUndefined();
});

test('every field and annotation that is not supported is named, in one line', () => {
  const spec = {...anInstanceSpec(), resourceClaims: [{name: 'gpu'}], utilityVolumes: [{name: 'x'}]};
  const said = unsupportedIn({spec, annotations: {'kubevirt.io/ignitiondata': '{}'}});
  expect(said).toMatch(
    /^utilityVolumes is not supported: .*; resourceClaims is not supported: .*; the annotation kubevirt/,
  );
});
