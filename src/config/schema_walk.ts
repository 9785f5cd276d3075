/**
 * Looks into zod schemas: what lies below the wrappers, which member of a union a value is meant for, which keys an object has. Used to
 * type values before they are parsed, to suggest keys, to print a configuration, and to compare READMEs with schemas.
 */
import type { z } from 'zod';
import { KIND } from './schema.ts';
import type { ConfigPath } from './node.ts';

/** The parts of zod's own description of a schema that are read here. */
export interface SchemaInfo {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly defaultValue?: unknown;
  readonly items?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly format?: string;
  readonly transform?: (input: unknown, context: unknown) => unknown;
  readonly getter?: () => z.ZodType;
}

export function schemaInfo(schema: z.ZodType): SchemaInfo {
  return schema._zod.def as unknown as SchemaInfo;
}

const WRAPPERS: ReadonlySet<string> = new Set(['optional', 'default', 'prefault', 'nullable', 'nonoptional', 'readonly', 'catch']);

/** The schema of what is written in the file, below defaults, optionals and transforms. */
export function inputSchema(schema: z.ZodType): z.ZodType {
  let current = schema;
  for (;;) {
    const info = schemaInfo(current);
    if (KIND.has(current as never)) return current;
    if (WRAPPERS.has(info.type)) current = info.innerType!;
    else if (info.type === 'lazy') current = info.getter!();
    else if (info.type === 'pipe') current = schemaInfo(info.in!).type === 'transform' ? info.out! : info.in!;
    else return current;
  }
}

/** The function of z.preprocess(), or undefined. */
export function preprocessOf(schema: z.ZodType): ((input: unknown) => unknown) | undefined {
  let current = schema;
  for (;;) {
    const info = schemaInfo(current);
    if (WRAPPERS.has(info.type)) current = info.innerType!;
    else if (info.type === 'pipe' && schemaInfo(info.in!).type === 'transform') {
      const run = schemaInfo(info.in!).transform!;
      return (input) => run(input, { addIssue() {}, issues: [], value: input });
    } else return undefined;
  }
}

/** True where a file may say `null` and mean it. */
export function acceptsNull(schema: z.ZodType): boolean {
  const info = schemaInfo(schema);
  switch (info.type) {
    case 'nullable':
    case 'any':
    case 'unknown':
    case 'null':
      return true;
    case 'union':
      return info.options!.some(acceptsNull);
    case 'pipe':
      return acceptsNull(schemaInfo(info.in!).type === 'transform' ? info.out! : info.in!);
    default:
      return WRAPPERS.has(info.type) ? acceptsNull(info.innerType!) : false;
  }
}

/** The members of a union, of unions of unions too; a schema that is no union is its only member. */
export function alternatives(schema: z.ZodType): z.ZodType[] {
  const inner = inputSchema(schema),
    info = schemaInfo(inner);
  return info.type === 'union' && !KIND.has(inner as never) ? info.options!.flatMap(alternatives) : [inner];
}

/** Whether a written value has the form that a schema takes; what it contains is not looked at. */
export function fits(schema: z.ZodType, value: unknown): boolean {
  const info = schemaInfo(schema);
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  switch (info.type) {
    case 'any':
    case 'unknown':
    case 'custom':
    case 'transform':
      return true;
    case 'object':
      return isMap && literalsMatch(info.shape!, value as Record<string, unknown>);
    case 'record':
    case 'map':
    case 'intersection':
      return isMap;
    case 'array':
    case 'tuple':
    case 'set':
      return Array.isArray(value);
    case 'string':
    case 'template_literal':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'bigint':
      return typeof value === 'bigint' || typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'enum':
      return Object.values(info.entries!).includes(value as string);
    case 'literal':
      return info.values!.includes(value);
    case 'union':
      return info.options!.some((option) => alternatives(option).some((alternative) => fits(alternative, value)));
    default:
      return false;
  }
}

/** Members of a union of objects are told apart by the keys that allow one value only. */
function literalsMatch(shape: Readonly<Record<string, z.ZodType>>, value: Record<string, unknown>): boolean {
  for (const [key, schema] of Object.entries(shape)) {
    const info = schemaInfo(inputSchema(schema));
    if (info.type === 'literal' && key in value && !info.values!.includes(value[key])) return false;
  }
  return true;
}

/** The schemas that may hold at a path, several where unions lie on the way. */
export function schemasAt(schema: z.ZodType, path: ConfigPath): z.ZodType[] {
  let current = alternatives(schema);
  for (const step of path) {
    const below: z.ZodType[] = [];
    for (const one of current) {
      const info = schemaInfo(one);
      const next =
        info.type === 'object'
          ? (info.shape![String(step)] ?? info.catchall)
          : info.type === 'record'
            ? info.valueType
            : info.type === 'array'
              ? info.element
              : info.type === 'tuple'
                ? info.items![Number(step)]
                : undefined;
      if (next !== undefined) below.push(...alternatives(next));
      if (info.type === 'intersection') for (const side of [info.left!, info.right!]) below.push(...schemasAt(side, [step]));
    }
    current = below;
  }
  return current;
}

/** The keys that may stand at a path. */
export function keysAt(schema: z.ZodType, path: ConfigPath): string[] {
  const keys = new Set<string>();
  for (const one of schemasAt(schema, path)) for (const key of Object.keys(schemaInfo(one).shape ?? {})) keys.add(key);
  return [...keys];
}

/** True for z.int() and z.number().int(). */
export function isWholeNumber(schema: z.ZodType): boolean {
  const format = schemaInfo(schema).format ?? (schema._zod.bag as { format?: string }).format;
  return format === 'safeint' || format === 'int32' || format === 'uint32';
}
