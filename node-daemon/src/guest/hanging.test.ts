import {expect, test} from '@jest/globals';
import {EventReason, type InstanceStatus} from '@wherry/api';
import {hangNews, hangVerdict} from './hanging.ts';

const hung: InstanceStatus = {conditions: [{...hangVerdict, lastTransitionTime: '2026-11-26T10:00:00Z'}]};
const well: InstanceStatus = {conditions: [{type: hangVerdict.type, status: 'True', reason: 'EngineStarted'}]};

test.each([
  ['that an engine hangs is told once', well, true, EventReason.EngineUnresponsive],
  ['an engine that goes on hanging is no news', hung, true, undefined],
  ['that it answers again is told once', hung, false, EventReason.EngineResponsive],
  ['an engine that goes on answering is no news', well, false, undefined],
  ['an engine that answers at its start is no news', undefined, false, undefined],
])('%s', (_sentence, before, hangs, what) => {
  expect(hangNews(before, hangs)?.what).toBe(what);
});
