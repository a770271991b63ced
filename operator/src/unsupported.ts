import {refusedAnnotationsIn, refusedIn} from '@wherry/api';

interface Asking {
  readonly spec: object;
  /** Those that reach the instance. */
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * What an object asks for that is not supported; undefined where there is nothing. The API server refuses such objects,
 * but not one that it stored before the field was refused, and that one must not run without what it asks for.
 */
export const unsupportedIn = ({spec, annotations}: Asking): string | undefined => {
  const messages = [...refusedIn(spec), ...refusedAnnotationsIn(annotations)];
  return messages.length === 0 ? undefined : messages.join('; ');
};
