/** The structural-schema builder: one value per field gives the CRD's node and the TypeScript type. */
export {problemsIn, withDefaults} from './check.ts';
export * from './collections.ts';
export * from './kind.ts';
export * from './refusal.ts';
export * from './scalars.ts';
export {
  defaulted,
  type Infer,
  type InferInput,
  type JsonSchema,
  nullable,
  optional,
  type Rule,
  type Schema,
  withRules,
} from './schema.ts';
