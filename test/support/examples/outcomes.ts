import {kinds, kindMessage, refusedKind} from '@wherry/api';
import {type AdminAccess, type Answer, get, post} from '../control-plane/admin.ts';
import type {AnyObject, Example} from './manifests.ts';

/** What becomes of an object. */
export interface Outcome {
  readonly file: string;
  readonly object: string;
  readonly here:
    | 'runs'
    /** A kind of Kubernetes' own. */
    | 'applies'
    | 'refused'
    | 'no such kind';
  /** What the API server says, or what we say of a kind that it does not know; empty where the object is accepted. */
  readonly why: readonly string[];
}

/** Asks the API server about every object of the manifests, as strictly as kubectl does. Nothing is stored. */
export const outcomesOf = async (admin: AdminAccess, examples: readonly Example[]): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const {file, objects} of examples) {
    for (const object of objects) {
      const name = `${object.kind} ${object.metadata.name}`;
      outcomes.push({file, object: name, ...(await outcomeOf(admin, object))});
    }
  }
  return outcomes;
};

const outcomeOf = async (admin: AdminAccess, object: AnyObject): Promise<Pick<Outcome, 'here' | 'why'>> => {
  const collection = await collectionOf(admin, object);
  if (collection === undefined) {
    const refusal = refusedKind(object.apiVersion, object.kind);
    if (refusal === undefined) throw new Error(`nothing is said of the kind ${object.kind} of ${object.apiVersion}`);
    return {here: 'no such kind', why: [kindMessage(refusal)]};
  }
  const answer = await post(admin, `${collection}?dryRun=All&fieldValidation=Strict`, object);
  if (answer.status >= 300) return {here: 'refused', why: reasonsIn(answer)};
  return {here: isMachine(object) ? 'runs' : 'applies', why: []};
};

/** Whether the object is one of ours, which starts a guest. */
export const isMachine = ({apiVersion, kind}: AnyObject): boolean =>
  kinds.some(one => one.kind === kind && `${one.group}/${one.version}` === apiVersion);

/** Where objects of this kind are created, as discovery has it. Undefined where the kind is not served. */
const collectionOf = async (admin: AdminAccess, {apiVersion, kind}: AnyObject): Promise<string | undefined> => {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const {status, body} = await get(admin, root);
  if (status !== 200) return undefined;
  const {resources} = body as {resources: readonly {name: string; kind: string; namespaced: boolean}[]};
  const found = resources.find(one => one.kind === kind && !one.name.includes('/'));
  return found && `${root}${found.namespaced ? '/namespaces/default' : ''}/${found.name}`;
};

interface Refused {
  readonly message: string;
  readonly details?: {readonly causes?: readonly {readonly field?: string; readonly message: string}[]};
}

/** What a person reads, without what only repeats the name of the object. */
export const reasonsIn = ({body}: Answer): readonly string[] => {
  const {message, details} = body as Refused;
  const [, denied] = / denied request: ([^]*)$/.exec(message) ?? [];
  const causes = details?.causes ?? [];
  if (denied !== undefined || causes.length === 0) return [denied ?? message];
  // Without a field it says only that there may be more. They come in any order.
  const named = causes.filter(({field}) => field !== undefined && field !== '<nil>');
  return named.map(cause => `${cause.field}: ${cause.message}`).toSorted();
};
