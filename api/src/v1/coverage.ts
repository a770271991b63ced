/** How much of KubeVirt's API there is: what becomes of each of its fields. */
import type {JsonSchema, Refusals} from '../schema/index.ts';
import {instanceRefusals, machineRefusals} from './refusals/index.ts';
import {virtualMachineInstanceKind} from './virtual-machine-instance.ts';
import {virtualMachineKind} from './virtual-machine.ts';

/**
 * Refused is also what lies below a refusal, and an object that holds nothing but refusals. Missing is what no schema
 * names: the API server drops it where the client is not strict.
 */
export type Support = 'implemented' | 'refused' | 'missing';

/** The spec of a kind, and what of it is refused, by path below it. */
export interface Covered {
  readonly kind: string;
  readonly spec: JsonSchema;
  readonly refusals: Refusals;
}

const below = (prefix: string, refusals: Refusals): Refusals =>
  Object.fromEntries(Object.entries(refusals).map(([path, refusal]) => [`${prefix}${path}`, refusal]));

/** The kinds whose fields are counted. */
export const covered: readonly Covered[] = [
  {
    kind: virtualMachineKind.kind,
    spec: virtualMachineKind.spec.json,
    refusals: {...machineRefusals, ...below('template.spec.', instanceRefusals)},
  },
  {
    kind: virtualMachineInstanceKind.kind,
    spec: virtualMachineInstanceKind.spec.json,
    refusals: instanceRefusals,
  },
];

type Answers = Map<string, Support>;

/** Notes the node and all below it, and says whether anything there is implemented. */
const note = (path: string, schema: JsonSchema, refused: ReadonlySet<string>, answers: Answers): boolean => {
  if (schema.items !== undefined) {
    return note(`${path}[]`, schema.items, refused, answers);
  }
  if (schema.additionalProperties !== undefined) {
    return note(`${path}{}`, schema.additionalProperties, refused, answers);
  }
  const children = Object.entries(schema.properties ?? {}).map(([name, child]) =>
    note(`${path}.${name}`, child, refused, answers),
  );
  const implemented = !refused.has(path) && (children.length === 0 || children.includes(true));
  answers.set(path, implemented ? 'implemented' : 'refused');
  return implemented;
};

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('.'), 0));

/**
 * What becomes of a field, by its path from `spec` on, with `[]` for an element of a list and `{}` for a value of a
 * map: `spec.volumes[].name`.
 */
export const supportIn = ({spec, refusals}: Covered): ((path: string) => Support) => {
  const refused = new Set(
    Object.entries(refusals).map(([path, {type}]) => `spec.${path}${type === 'list' ? '[]' : ''}`),
  );
  const answers: Answers = new Map();
  note('spec', spec, refused, answers);
  const supportOf = (path: string): Support => {
    const known = answers.get(path);
    if (known !== undefined) {
      return known;
    }
    const parent = parentOf(path);
    return parent !== '' && supportOf(parent) === 'refused' ? 'refused' : 'missing';
  };
  return supportOf;
};
