import {expect, test} from '@jest/globals';
import {instance} from '../testing/instances.ts';
import type {PauseCause} from './launcher-view.ts';
import {type PauseCommand, pauseCommand} from './pausing.ts';

const table: [string, string | undefined, PauseCause | undefined, PauseCommand | undefined, boolean?][] = [
  ['a guest that runs and shall not is paused', 'true', undefined, 'pause'],
  ['a guest that is paused and shall be is left alone', 'true', 'user', undefined],
  ['a guest that is paused and shall not be is resumed', 'false', 'user', 'resume'],
  ['a guest that runs and shall is left alone', 'false', undefined, undefined],
  ['a guest that a failed disk stopped is left alone until a try is due', 'false', 'ioError', undefined],
  ['a guest that a failed disk stopped is resumed when a try is due', undefined, 'ioError', 'resume', true],
  ['a guest that a failed disk stopped and that shall stand still does so', 'true', 'ioError', undefined, true],
  ['a guest that somebody paused is not tried', undefined, 'user', undefined, true],
  ['a guest that a failed disk stopped is stopped enough', 'true', 'ioError', undefined],
  ['without the annotation nobody pauses a guest', undefined, undefined, undefined],
  ['without the annotation nobody resumes a guest', undefined, 'user', undefined],
  ['a word that is neither means nothing', 'yes', undefined, undefined],
];

test.each(table)('%s', (_sentence, annotation, paused, command, due = false) => {
  const annotations: Record<string, string> = annotation === undefined ? {} : {'wherry.dev/paused': annotation};
  expect(pauseCommand(instance({metadata: {annotations}}), paused, due)).toBe(command);
});

test('a guest that is asked whether it lives is not paused: it would be ended for its silence', () => {
  const metadata = {annotations: {'wherry.dev/paused': 'true'}};
  expect(
    pauseCommand(instance({metadata, spec: {livenessProbe: {tcpSocket: {port: 80}}}}), undefined, false),
  ).toBeUndefined();
});
