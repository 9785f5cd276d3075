/**
 * From nodes to what a schema gives. First the values get the JavaScript type that the schema's place asks for (a reference that stands
 * alone is text for a text field; null is the zero value of a scalar; a fraction is cut for a whole number: all as the Collector does), then zod
 * parses them and its issues are told in our words.
 */
import type { z } from 'zod';
import type { ConfigIssue } from '#src/core/errors.ts';
import { type ConfigNode, type ConfigPath, exactValue, isNullNode, plainValue, unwrapNode } from './node.ts';
import { KIND } from './schema.ts';
import { acceptsNull, alternatives, fits, inputSchema, isWholeNumber, keysAt, schemaInfo } from './schema_walk.ts';
import { nearest } from './suggest.ts';

export type Typed<T> = { readonly ok: true; readonly value: T; readonly input: unknown } | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** Parses a node by a schema. Paths of issues begin with `at`. */
export function typeNode<Schema extends z.ZodType>(node: ConfigNode, schema: Schema, at: ConfigPath): Typed<z.output<Schema>> {
  const input = toInput(node, schema);
  const parsed = schema.safeParse(input, { error: (issue) => describe(issue as unknown as RawIssue), reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data, input };
  const issues: ConfigIssue[] = [];
  for (const issue of parsed.error.issues) tell(issue as unknown as RawIssue, [], schema, at, issues);
  return { ok: false, issues };
}

/** The value as zod should see it; undefined stands for "not written". */
export function toInput(node: ConfigNode, schema: z.ZodType): unknown {
  const isText = node.kind === 'expanded' && alternatives(schema).some((one) => schemaInfo(one).type === 'string'); // "${env:X}" of the text "null" or "~".
  if (isNullNode(node) && !isText) return nullFor(schema);
  const inner = unwrapNode(node),
    plain = inner.kind === 'scalar' ? inner.value : plainValue(inner);
  const options = alternatives(schema);
  if (KIND.get(options[0]! as never)?.kind === 'exact') return exactValue(node);
  let option = options.find((one) => fits(one, plain)),
    value: ConfigNode = inner;
  if (node.kind === 'expanded' && !options.some((one) => fits(one, plain))) {
    option = options.find((one) => fits(one, node.original)) ?? options.find((one) => ['string', 'enum', 'literal'].includes(schemaInfo(one).type));
    if (option !== undefined) value = { kind: 'scalar', value: node.original, place: node.place };
  }
  const target = option ?? options.find((one) => isContainerFor(one, inner)) ?? options[0]!;
  const info = schemaInfo(target);
  if (value.kind === 'scalar') {
    if (info.type === 'array' && typeof value.value === 'string' && isTextList(target)) return value.value === '' ? [] : value.value.split(',');
    if (info.type === 'number' && typeof value.value === 'bigint') return Number(value.value);
    if (info.type === 'number' && typeof value.value === 'number' && isWholeNumber(target))
      return Number.isFinite(value.value) ? Math.trunc(value.value) : value.value;
    if (info.type === 'bigint' && typeof value.value === 'number' && Number.isInteger(value.value)) return BigInt(value.value);
    return value.value;
  }
  if (value.kind === 'list') {
    const items = value.items;
    if (info.type === 'array') return items.map((item) => toInput(item, info.element!));
    if (info.type === 'tuple') return items.map((item, index) => (info.items![index] === undefined ? plainValue(item) : toInput(item, info.items![index])));
    return plain;
  }
  if (value.kind !== 'map') return plain;
  const below = (key: string): z.ZodType | undefined => {
    if (info.type === 'object') return info.shape![key] ?? info.catchall;
    if (info.type === 'record') return info.valueType;
    // Headers are a list of name and value that may be written as a map (the Collector's configopaque.MapList).
    return info.type === 'array' ? schemaInfo(inputSchema(info.element!)).shape?.['value'] : undefined;
  };
  const result: Record<string, unknown> = {};
  for (const [key, entry] of value.entries) {
    const schemaBelow = below(key);
    const typed = schemaBelow === undefined ? plainValue(entry.value) : toInput(entry.value, schemaBelow);
    if (typed === undefined) continue;
    Object.defineProperty(result, key, { value: typed, enumerable: true, writable: true, configurable: true });
  }
  return result;
}

/** Lists that may be written as one text with commas. Lists of ids may not. */
function isTextList(schema: z.ZodType): boolean {
  return KIND.get(schema as never)?.kind !== 'ids' && schemaInfo(inputSchema(schemaInfo(schema).element!)).type === 'string';
}

function isContainerFor(schema: z.ZodType, node: ConfigNode): boolean {
  const type = schemaInfo(schema).type;
  return node.kind === 'map' ? type === 'object' || type === 'record' : node.kind === 'list' ? type === 'array' || type === 'tuple' : false;
}

/** `key:` with nothing behind it: defaults for a map, nothing for a list, the zero value for a scalar. */
function nullFor(schema: z.ZodType): unknown {
  if (acceptsNull(schema)) return null;
  const inner = inputSchema(schema);
  if (KIND.get(inner as never)?.kind === 'duration') return 0;
  switch (schemaInfo(inner).type) {
    case 'object':
    case 'record':
      return {};
    case 'array':
      return undefined;
    case 'number':
      return 0;
    case 'string':
      return '';
    case 'boolean':
      return false;
    default:
      return undefined;
  }
}

interface RawIssue {
  readonly code: string;
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly input?: unknown;
  readonly inst?: z.ZodType;
  readonly expected?: string;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly errors?: readonly (readonly RawIssue[])[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly origin?: string;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  null: 'nothing',
  bigint: 'a whole number',
};

/** The message of an issue for which the schema has none of its own; undefined leaves zod's. */
function describe(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = EXPECTED[issue.expected ?? ''] ?? issue.expected;
      return issue.input === undefined ? `is missing; expected ${expected}` : `${show(issue)}; expected ${expected}`;
    }
    case 'invalid_value':
      return `${show(issue)}; expected ${issue.values!.length === 1 ? '' : 'one of: '}${issue.values!.map((value) => (value === '' ? '""' : String(value))).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty';
      if (issue.origin === 'array') return `must have at least ${issue.minimum} ${issue.minimum === 1 ? 'entry' : 'entries'}`;
      return `${show(issue)}; expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'too_big':
      return `${show(issue)}; expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : ''}`;
    default:
      return undefined;
  }
}

function show(issue: RawIssue): string {
  const { input } = issue;
  if (issue.inst !== undefined && KIND.get(issue.inst as never)?.kind === 'secret')
    return `the value is ${typeof input === 'object' ? 'no text' : `a ${typeof input}`}`;
  if (typeof input === 'string')
    return `"${input.length > 80 ? `${input.slice(0, 77)}...` : input}" is ${issue.code === 'invalid_type' ? 'text' : 'not allowed'}`;
  if (Array.isArray(input)) return 'is a list';
  if (typeof input === 'object' && input !== null) return 'is a map';
  return `${String(input)} is ${typeof input === 'boolean' ? 'a boolean' : input === null ? 'nothing' : 'a number'}`;
}

/** Adds the issues behind one of zod's, with whole paths. */
function tell(issue: RawIssue, prefix: readonly (string | number)[], schema: z.ZodType, at: ConfigPath, issues: ConfigIssue[]): void {
  const path = [...prefix, ...(issue.path ?? [])];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    for (const key of issue.keys!) {
      const near = nearest(key, known);
      const list = known.length > 0 && known.length <= 12 ? `; use one of: ${known.join(', ')}` : '';
      issues.push({ path: [...at, ...path, key], message: `unknown key "${key}"${near === undefined ? list : `; did you mean "${near}"?`}` });
    }
    return;
  }
  if (issue.code === 'invalid_union') {
    // The member that got furthest is what was meant.
    const members = (issue.errors ?? []).filter((errors) => errors.length > 0);
    const deep = members.filter((errors) =>
      errors.every((error) => (error.path ?? []).length > 0 || (error.code !== 'invalid_type' && error.code !== 'invalid_value')),
    );
    const meant = deep.toSorted((a, b) => a.length - b.length)[0];
    if (meant !== undefined) {
      for (const error of meant) tell(error, path, schema, at, issues);
      return;
    }
    const expected = [
      ...new Set(
        members
          .flat()
          .flatMap((error) => (error.code === 'invalid_value' ? error.values!.map(String) : [EXPECTED[error.expected ?? ''] ?? error.expected ?? ''])),
      ),
    ];
    issues.push({ path: [...at, ...path], message: `${show({ ...issue, code: 'invalid_type' })}; expected ${expected.join(' or ')}` });
    return;
  }
  issues.push({ path: [...at, ...path], message: issue.message });
}
