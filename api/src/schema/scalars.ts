import {type JsonSchema, type Rule, type Schema, required, validations} from './schema.ts';

interface WithRules {
  readonly rules?: readonly Rule[];
}

export interface StringOptions extends WithRules {
  /** In characters. Every string has a bound: the cost of CEL rules is estimated from it. */
  readonly maxLength: number;
  readonly minLength?: number;
  readonly pattern?: string;
}

const without = <K extends string, T extends {readonly [P in K]?: unknown}>(value: T, key: K): Omit<T, K> => {
  const {[key]: _, ...rest} = value;
  return rest;
};

export const string = (description: string, options: StringOptions): Schema<string, string, 'required'> =>
  required({description, type: 'string', ...without(options, 'rules'), ...validations(options.rules)});

export interface EnumerationOptions extends WithRules {
  /** Words that KubeVirt knows and that are not supported, each with what to use instead. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** One of the given words. Those that are refused are so by name; code never reads them. */
export const enumeration = <const V extends readonly string[]>(
  description: string,
  values: V,
  {rules = [], refused = {}}: EnumerationOptions = {},
): Schema<V[number], V[number], 'required'> =>
  required({
    description,
    type: 'string',
    enum: [...values, ...Object.keys(refused)],
    ...validations([
      ...rules,
      ...Object.entries(refused).map(
        ([word, instead]): Rule => ({
          rule: `self != '${word}'`,
          message: `${word} is not supported: ${instead}`,
          reason: 'FieldValueForbidden',
        }),
      ),
    ]),
  });

export interface IntegerOptions extends WithRules {
  readonly minimum: number;
  readonly maximum: number;
}

export const integer = (description: string, options: IntegerOptions): Schema<number, number, 'required'> =>
  required({
    description,
    type: 'integer',
    format: options.maximum > 2_147_483_647 ? 'int64' : 'int32',
    ...without(options, 'rules'),
    ...validations(options.rules),
  });

export const boolean = (description: string, options: WithRules = {}): Schema<boolean, boolean, 'required'> =>
  required({description, type: 'boolean', ...validations(options.rules)});

/** RFC 3339, with seconds: what Kubernetes calls a Time. */
export const timestamp = (description: string): Schema<string, string, 'required'> =>
  required({description, type: 'string', format: 'date-time', maxLength: 64});

/** A Kubernetes quantity as it comes from a client: `512Mi`, `"2"` or the bare number 2. */
export type Quantity = string | number;

const eitherType: Pick<JsonSchema, 'anyOf' | 'x-kubernetes-int-or-string'> = {
  anyOf: [{type: 'integer'}, {type: 'string'}],
  'x-kubernetes-int-or-string': true,
};

/** A number or a text, as the port of a probe. Rules tell them apart by `type(self) == int`. */
export const intOrString = (
  description: string,
  options: StringOptions,
): Schema<string | number, string | number, 'required'> =>
  required({description, ...eitherType, ...without(options, 'rules'), ...validations(options.rules)});

/** Quantities of ours are never negative. */
const quantityPattern = String.raw`^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$`;

/** An amount with an optional suffix: `512Mi`, `2G`, `500m`, `3`. Rules reach its value by `quantity(string(self))`. */
export const quantity = (description: string, options: WithRules = {}): Schema<Quantity, Quantity, 'required'> =>
  required({description, ...eitherType, pattern: quantityPattern, maxLength: 64, ...validations(options.rules)});

const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

/** RFC 1123 label: lower-case letters, digits and dashes, at most 63 characters. */
export const dnsLabel = (description: string, options: WithRules = {}): Schema<string, string, 'required'> =>
  string(description, {minLength: 1, maxLength: 63, pattern: DNS_LABEL, ...options});

/** RFC 1123 subdomain, the form of most object names: labels joined by dots, at most 253 characters. */
export const dnsSubdomain = (description: string, options: WithRules = {}): Schema<string, string, 'required'> =>
  string(description, {
    minLength: 1,
    maxLength: 253,
    pattern: String.raw`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`,
    ...options,
  });
