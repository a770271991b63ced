/** Requests that the API server has answered, by what was asked: out of its own metrics. */

export interface Write {
  readonly verb: string;
  /** With its subresource: `pods/status`. */
  readonly resource: string;
}

/** Counts by `VERB resource`. */
export type Writes = ReadonlyMap<string, number>;

const writing = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION']);

/** Questions that are asked as writes and store nothing. */
const questions = new Set([
  'tokenreviews',
  'subjectaccessreviews',
  'selfsubjectaccessreviews',
  'serviceaccounts/token',
]);

/** The writes in the text of /metrics, those that were refused included. */
export const writesIn = (text: string): Writes => {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^apiserver_request_total\{(?<labels>.*)\} (?<count>\S+)$/.exec(line)?.groups;
    if (found === undefined) continue;
    const labels = Object.fromEntries(
      [...found['labels']!.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    ) as Record<string, string>;
    const {verb = '', resource = '', subresource = ''} = labels;
    const target = subresource === '' ? resource : `${resource}/${subresource}`;
    if (!writing.has(verb) || questions.has(target)) continue;
    const key = `${verb} ${target}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(found['count']));
  }
  return counts;
};

/** What was written between two looks. */
export const writesBetween = (before: Writes, after: Writes): Writes =>
  new Map(
    [...after]
      .map(([key, count]): [string, number] => [key, count - (before.get(key) ?? 0)])
      .filter(([, count]) => count > 0)
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );

export const sum = (writes: Writes, counts: (key: string) => boolean = () => true): number =>
  [...writes].reduce((total, [key, count]) => total + (counts(key) ? count : 0), 0);
