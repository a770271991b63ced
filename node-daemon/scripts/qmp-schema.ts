/** QEMU's introspection schema (docs/devel/qapi-code-gen.rst, "Client JSON Protocol introspection") as TypeScript. */

interface Member {
  readonly name: string;
  readonly type: string;
  /** Present, null for the most part, where the member is optional. */
  readonly default?: null;
}

export type SchemaEntity = {readonly name: string} & (
  | {readonly 'meta-type': 'builtin'; readonly 'json-type': string}
  | {readonly 'meta-type': 'enum'; readonly values: readonly string[]}
  | {readonly 'meta-type': 'array'; readonly 'element-type': string}
  | {readonly 'meta-type': 'alternate'; readonly members: readonly {readonly type: string}[]}
  | {
      readonly 'meta-type': 'object';
      readonly members: readonly Member[];
      readonly tag?: string;
      readonly variants?: readonly {readonly case: string; readonly type: string}[];
    }
  | {readonly 'meta-type': 'command'; readonly 'arg-type': string; readonly 'ret-type': string}
  | {readonly 'meta-type': 'event'; readonly 'arg-type': string}
);

type ObjectEntity = Extract<SchemaEntity, {'meta-type': 'object'}>;

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  number: 'number',
  null: 'null',
  value: 'unknown',
};

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

const key = (name: string): string => (/^[a-z_$][\w$]*$/i.test(name) ? name : `'${name}'`);

/** Walks from the wanted commands and events to every type that they need. */
class Types {
  readonly #entities: ReadonlyMap<string, SchemaEntity>;
  /** Text of each declaration by its name; undefined while it is being made, for types may contain themselves. */
  readonly declared = new Map<string, string | undefined>();

  constructor(schema: readonly SchemaEntity[]) {
    this.#entities = new Map(schema.map(entity => [entity.name, entity]));
  }

  entity(name: string): SchemaEntity {
    const found = this.#entities.get(name);
    if (found === undefined) throw new Error(`the QMP schema has no ${name}: was it renamed in this QEMU?`);
    return found;
  }

  reference(name: string): string {
    const entity = this.entity(name);
    switch (entity['meta-type']) {
      case 'builtin':
        return scalars[entity['json-type']] ?? 'unknown';
      case 'enum':
        return entity.values.map(value => `'${value}'`).join(' | ');
      case 'array': {
        const element = this.reference(entity['element-type']);
        return `readonly ${/^\w+$/.test(element) ? element : `(${element})`}[]`;
      }
      case 'alternate':
        return [...new Set(entity.members.map(member => this.reference(member.type)))].join(' | ');
      case 'object':
        return this.#object(entity);
      case 'command':
      case 'event':
        throw new Error(`${name} of the QMP schema is no type`);
    }
  }

  #object(entity: ObjectEntity): string {
    if (entity.members.length === 0 && entity.variants === undefined) return 'Record<never, never>';
    const name = `Type${entity.name}`;
    if (!this.declared.has(name)) {
      this.declared.set(name, undefined);
      this.declared.set(name, `type ${name} = ${this.#body(entity)};`);
    }
    return name;
  }

  #body(entity: ObjectEntity): string {
    const members = entity.members
      .toSorted((a, b) => byText(a.name, b.name))
      .filter(member => member.name !== entity.tag || entity.variants === undefined)
      .map(({name, type, ...rest}) => `${key(name)}${'default' in rest ? '?' : ''}: ${this.reference(type)}`);
    const plain = `{${members.join('; ')}}`;
    if (entity.variants === undefined) return plain;
    const cases = entity.variants.map(
      variant => `({${key(entity.tag ?? '')}: '${variant.case}'} & ${this.reference(variant.type)})`,
    );
    return `${plain} & (${cases.join(' | ')})`;
  }
}

const isEmpty = (types: Types, name: string): boolean => {
  const entity = types.entity(name);
  return entity['meta-type'] === 'object' && entity.members.length === 0;
};

/** Declarations of `QmpCommands` and `QmpEvents` with all that they need. @throws Error where the schema lacks one */
export const typesOf = (
  schema: readonly SchemaEntity[],
  commands: readonly string[],
  events: readonly string[],
): string => {
  const types = new Types(schema);
  const commandLines = commands.map(name => {
    const entity = types.entity(name);
    if (entity['meta-type'] !== 'command') throw new Error(`${name} is no QMP command`);
    const given = isEmpty(types, entity['arg-type']) ? 'undefined' : types.reference(entity['arg-type']);
    return `  ${key(name)}: {arguments: ${given}; returns: ${types.reference(entity['ret-type'])}};`;
  });
  const eventLines = events.map(name => {
    const entity = types.entity(name);
    if (entity['meta-type'] !== 'event') throw new Error(`${name} is no QMP event`);
    return `  ${key(name)}: ${types.reference(entity['arg-type'])};`;
  });
  const declarations = [...types.declared.keys()]
    .toSorted(byText)
    .map(name => types.declared.get(name))
    .join('\n');
  return [
    `export interface QmpCommands {\n${commandLines.join('\n')}\n}\n`,
    `export interface QmpEvents {\n${eventLines.join('\n')}\n}\n`,
    `${declarations}\n`,
  ].join('\n');
};
