import type {JsonSchema} from './schema.ts';

/**
 * What is wrong with a value by its schema, one line for each field, by path. It knows what the configuration is made
 * of: objects, texts, words, integers and flags. Fields that the schema does not name are no problem here.
 */
export const problemsIn = (schema: JsonSchema, value: unknown, path = ''): readonly string[] => {
  const at = path === '' ? 'it' : path;
  switch (schema.type) {
    case 'object':
      return isObject(value) ? objectProblems(schema, value, path) : [`${at} must be an object`];
    case 'string':
      return textProblem(schema, value).map(problem => `${at} ${problem}`);
    case 'integer':
      return integerProblem(schema, value).map(problem => `${at} ${problem}`);
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at} must be true or false`];
    case 'array':
    case undefined:
  }
  throw new TypeError(`${at}: values of type ${schema.type ?? 'any'} are not checked here`);
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const objectProblems = ({properties = {}, required = []}: JsonSchema, value: Json, path: string): readonly string[] =>
  Object.entries(properties).flatMap(([name, field]) => {
    const below = path === '' ? name : `${path}.${name}`;
    if (value[name] !== undefined) return problemsIn(field, value[name], below);
    return required.includes(name) ? [`${below} must be given`] : [];
  });

const textProblem = ({enum: words, minLength = 0, maxLength, pattern}: JsonSchema, value: unknown): string[] => {
  if (words !== undefined) return words.some(word => word === value) ? [] : [`must be one of ${words.join(', ')}`];
  if (typeof value !== 'string') return ['must be a text'];
  if (value.length < minLength) return ['must not be empty'];
  if (maxLength !== undefined && value.length > maxLength) return [`must have at most ${maxLength} characters`];
  return pattern === undefined || new RegExp(pattern, 'u').test(value) ? [] : [`must match ${pattern}`];
};

const integerProblem = ({minimum = -Infinity, maximum = Infinity}: JsonSchema, value: unknown): string[] =>
  typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
    ? []
    : [`must be a whole number from ${minimum} to ${maximum}`];

/** The value with the schema's defaults for the fields of its first level that are missing, and no other fields. */
export const withDefaults = ({properties = {}}: JsonSchema, value: Json): Json =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, field]) => {
      const found = value[name] ?? field.default;
      return found === undefined ? [] : [[name, found]];
    }),
  );
