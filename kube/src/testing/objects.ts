import type {ConfigMap, ObjectMeta} from '../objects.ts';

/** A ConfigMap as the API server would store it. */
export const aConfigMap = (
  name: string,
  metadata: Partial<ObjectMeta> = {},
  data?: Record<string, string>,
): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {namespace: 'default', name, uid: `uid-of-${name}`, resourceVersion: '1', ...metadata},
  ...(data === undefined ? {} : {data}),
});
