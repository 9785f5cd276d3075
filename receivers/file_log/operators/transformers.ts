/** Operators that change or judge entries: add, assign_keys, copy, filter, flatten, move, noop, regex_replace, remove, retain, router, sanitize_utf8, unquote. */
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { Expression } from '#receivers/file_log/expr/compile.ts';
import { ExprText } from '#receivers/file_log/expr/expr_text.ts';
import { Field } from '#receivers/file_log/field.ts';
import { unquoteGo } from '#receivers/file_log/unquote.ts';
import { cloneValue, fromPlain, isMap, typeName, type Value } from '#receivers/file_log/value.ts';
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import { compileCondition, EntryOperator, fieldSchema, Operator, type OperatorContext, operatorKeys, transformerKeys } from './base.ts';
import { ScopeNameParser, scopeNameKeys, SeverityParser, severityKeys, TimeParser, timeKeys, TraceParser, traceKeys } from './embedded.ts';

type Config<Keys extends z.ZodRawShape> = z.output<z.ZodObject<Keys>>;

export class Noop extends EntryOperator {
  handle(): boolean {
    return true;
  }
}

export const addKeys = { ...transformerKeys, field: fieldSchema().optional(), value: z.unknown().optional() };
export class Add extends EntryOperator {
  readonly field: Field;
  /** The value of every entry, or undefined where an expression gives it or there is none. */
  readonly fixed: Value | undefined;
  readonly #expression: Expression | null = null;
  constructor(config: Config<typeof addKeys>, context: OperatorContext) {
    super(config, context);
    if (config.field === undefined) throw new Error("add: missing required argument 'field'");
    this.field = config.field;
    const text = typeof config.value === 'string' ? config.value.trim() : '';
    if (text.startsWith('EXPR(') && text.endsWith(')')) {
      const source = text.slice(5, -1);
      try {
        this.#expression = new Expression(source);
      } catch (error) {
        throw new Error(`failed to compile expression '${source}': ${(error as Error).message}`);
      }
    } else if (config.value !== undefined && config.value !== null) this.fixed = fromPlain(config.value);
  }
  handle(entry: Entry): boolean {
    if (this.#expression !== null) this.field.set(entry, cloneValue(this.#expression.evaluate(entry)));
    else if (this.fixed !== undefined) this.field.set(entry, cloneValue(this.fixed));
    else throw new Error('add: missing required value');
    return true;
  }
}

export const copyKeys = { ...transformerKeys, from: fieldSchema().optional(), to: fieldSchema().optional() };
/** copy and move. */
export class Copy extends EntryOperator {
  readonly from: Field;
  readonly to: Field;
  readonly moves: boolean;
  constructor(config: Config<typeof copyKeys>, context: OperatorContext) {
    super(config, context);
    if (config.from === undefined) throw new Error(`${config.type}: missing from field`);
    if (config.to === undefined) throw new Error(`${config.type}: missing to field`);
    this.from = config.from;
    this.to = config.to;
    this.moves = config.type === 'move';
  }
  handle(entry: Entry): boolean {
    const value = this.moves ? this.from.delete(entry) : this.from.get(entry);
    if (value === undefined) throw new Error(`${this.type}: field does not exist: ${this.from}`);
    this.to.set(entry, this.moves ? value : cloneValue(value));
    return true;
  }
}

export const removeKeys = { ...transformerKeys, field: fieldSchema(true).optional() };
export class Remove extends EntryOperator {
  readonly field: Field;
  constructor(config: Config<typeof removeKeys>, context: OperatorContext) {
    super(config, context);
    if (config.field === undefined) throw new Error('remove: field is empty');
    this.field = config.field;
  }
  handle(entry: Entry): boolean {
    if (this.field.delete(entry) === undefined) throw new Error(`remove: field does not exist: ${this.field}`);
    return true;
  }
}

export const retainKeys = { ...transformerKeys, fields: z.array(fieldSchema()).default([]) };
export class Retain extends EntryOperator {
  readonly fields: readonly Field[];
  constructor(config: Config<typeof retainKeys>, context: OperatorContext) {
    super(config, context);
    if (config.fields.length === 0) throw new Error('retain: `fields` is empty');
    this.fields = config.fields;
  }
  /** Only roots that some field names lose the rest. */
  handle(entry: Entry): boolean {
    const kept = this.fields.map((field) => [field, field.get(entry)] as const);
    for (const root of ['body', 'attributes', 'resource'] as const) if (this.fields.some((field) => field.root === root)) new Field(root, []).delete(entry);
    for (const [field, value] of kept) if (value !== undefined) field.set(entry, value);
    return true;
  }
}

export const flattenKeys = { ...transformerKeys, field: fieldSchema().optional() };
export class Flatten extends EntryOperator {
  readonly #field: Field;
  readonly #parent: Field;
  constructor(config: Config<typeof flattenKeys>, context: OperatorContext) {
    super(config, context);
    if (config.field === undefined) throw new Error("flatten: missing required argument 'field'");
    this.#field = config.field;
    this.#parent = new Field(config.field.root, config.field.keys.slice(0, -1));
  }
  handle(entry: Entry): boolean {
    const value = this.#field.get(entry);
    if (value === undefined) throw new Error(`apply flatten: field does not exist: ${this.#field}`);
    if (!isMap(value)) throw new Error(`apply flatten: field is not a map: ${this.#field}`);
    this.#field.delete(entry);
    this.#parent.set(entry, value);
    return true;
  }
}

export const assignKeysKeys = { ...transformerKeys, field: fieldSchema().default(() => new Field('body', [])), keys: z.array(z.string()).default([]) };
export class AssignKeys extends EntryOperator {
  readonly #field: Field;
  readonly #keys: readonly string[];
  constructor(config: Config<typeof assignKeysKeys>, context: OperatorContext) {
    super(config, context);
    if (config.keys.length === 0) throw new Error('assign_keys missing required field keys');
    this.#field = config.field;
    this.#keys = config.keys;
  }
  handle(entry: Entry): boolean {
    const value = this.#field.get(entry);
    if (value === undefined) throw new Error(`assign_keys: field does not exist: ${this.#field}`);
    if (!Array.isArray(value)) throw new Error(`assign_keys: field is not a list: ${this.#field}`);
    if (value.length !== this.#keys.length) throw new Error(`assign_keys: ${this.#keys.length} keys for ${value.length} values`);
    this.#field.delete(entry);
    this.#field.set(entry, new Map(this.#keys.map((key, i): [string, Value] => [key, value[i]!])));
    return true;
  }
}

export const unquoteKeys = { ...transformerKeys, field: fieldSchema().default(() => new Field('body', [])) };
/** unquote and sanitize_utf8: a text becomes another; an absent field is no failure. */
export class TextChange extends EntryOperator {
  readonly #field: Field;
  readonly #change: (text: string) => string;
  constructor(config: Config<typeof unquoteKeys>, context: OperatorContext) {
    super(config, context);
    this.#field = config.field;
    this.#change = config.type === 'unquote' ? unquoteGo : sanitize;
  }
  handle(entry: Entry): boolean {
    const value = this.#field.get(entry);
    if (value === undefined) return true;
    if (typeof value !== 'string') throw new Error(`type ${typeName(value)} cannot be used by ${this.type}`);
    this.#field.set(entry, this.#change(value));
    return true;
  }
}
/** Bytes that were not UTF-8 stand in the text as lone surrogates (tail/decode.ts); a run of them becomes one mark. */
function sanitize(text: string): string {
  return text.isWellFormed() ? text : text.replace(/(?:(?<![\ud800-\udbff])[\udc80-\udcff])+/g, '\ufffd').toWellFormed();
}

const NAMED_PATTERNS: Readonly<Record<string, string>> = { ansi_control_sequences: '(?:\\x1B\\[|\\x{9B})[0-?]*[ -/]*[@-~]' };
export const regexReplaceKeys = {
  ...transformerKeys,
  regex: z.string().default(''),
  regex_name: z.string().default(''),
  replace_with: z.string().default(''),
  field: fieldSchema().default(() => new Field('body', [])),
};
export class RegexReplace extends EntryOperator {
  readonly #field: Field;
  readonly #regexp: Pattern;
  readonly #template: string;
  constructor(config: Config<typeof regexReplaceKeys>, context: OperatorContext) {
    super(config, context);
    if ((config.regex === '') === (config.regex_name === '')) throw new Error('either regex or regex_name must be set');
    if (config.regex_name !== '' && !Object.hasOwn(NAMED_PATTERNS, config.regex_name)) throw new Error(`regex_name ${config.regex_name} is unknown`);
    this.#regexp = compilePattern(config.regex_name === '' ? config.regex : NAMED_PATTERNS[config.regex_name]!);
    this.#field = config.field;
    this.#template = config.replace_with;
  }
  handle(entry: Entry): boolean {
    const value = this.#field.get(entry);
    if (value === undefined) return true;
    if (typeof value !== 'string') throw new Error(`type ${typeName(value)} cannot be used by regex_replace`);
    this.#field.set(entry, this.#regexp.replaceAll(value, this.#template));
    return true;
  }
}

export const filterKeys = { ...transformerKeys, expr: z.string().default(''), drop_ratio: z.number().default(1) };
export class Filter extends EntryOperator {
  readonly expression: Expression;
  readonly ratio: number;
  constructor(config: Config<typeof filterKeys>, context: OperatorContext) {
    super(config, context);
    this.expression = compileCondition(config.expr);
    if (!(config.drop_ratio >= 0 && config.drop_ratio <= 1)) throw new Error('drop_ratio must be a number between 0 and 1');
    this.ratio = config.drop_ratio;
  }
  /** An entry whose expression fails is lost. */
  handle(entry: Entry): boolean {
    try {
      return !this.expression.test(entry) || (this.ratio < 1 && Math.random() >= this.ratio);
    } catch (error) {
      this.context.failed(this.id, error, false);
      return false;
    }
  }
}

export const routerKeys = {
  ...operatorKeys,
  default: z.union([z.string(), z.array(z.string())]).optional(),
  routes: z
    .array(z.object({ expr: z.string(), output: z.union([z.string(), z.array(z.string())]), attributes: z.record(z.string(), z.string()).default({}) }))
    .default([]),
};
interface Route {
  readonly condition: Expression;
  readonly ids: readonly string[];
  readonly attributes: readonly (readonly [key: string, value: ExprText])[];
  outputs: readonly Operator[];
}
const idList = (ids: string | readonly string[]): readonly string[] => (typeof ids === 'string' ? [ids] : ids);

export class Router extends Operator {
  readonly #routes: Route[];
  constructor(config: Config<typeof routerKeys>, context: OperatorContext) {
    super(config, context);
    this.#routes = config.routes.map((route) => ({
      condition: compileCondition(route.expr),
      ids: idList(route.output),
      outputs: [],
      attributes: Object.entries(route.attributes).map(([key, value]) => [key, new ExprText(value)] as const),
    }));
    if (config.default !== undefined) this.#routes.push({ condition: compileCondition('true'), ids: idList(config.default), outputs: [], attributes: [] });
  }
  override connect(find: (id: string) => Operator): void {
    for (const route of this.#routes) route.outputs = route.ids.map(find);
    this.outputs = this.#routes.flatMap((route) => route.outputs);
  }
  process(entry: Entry): void {
    for (const route of this.#routes) {
      try {
        if (!route.condition.test(entry)) continue;
        for (const [key, value] of route.attributes) entry.attributes.set(key, value.evaluate(entry));
      } catch (error) {
        this.context.failed(this.id, error, false);
        continue;
      }
      // All outputs of a route get the same entry, not copies, as in the Collector.
      for (const output of route.outputs) output.process(entry);
      return;
    }
  }
}

const blocks = {
  time_parser: (config: unknown, context: OperatorContext) => new TimeParser(config as Config<typeof timeKeys>, () => context.nowMs()),
  severity_parser: (config: unknown) => new SeverityParser(config as Config<typeof severityKeys>),
  trace_parser: (config: unknown) => new TraceParser(config as Config<typeof traceKeys>),
  scope_name_parser: (config: unknown) => new ScopeNameParser(config as Config<typeof scopeNameKeys>),
};
export const timeParserKeys = { ...transformerKeys, ...timeKeys };
export const severityParserKeys = { ...transformerKeys, ...severityKeys };
export const traceParserKeys = { ...transformerKeys, ...traceKeys };
export const scopeNameParserKeys = { ...transformerKeys, ...scopeNameKeys };
/** time_parser, severity_parser, trace_parser and scope_name_parser: a block that parsers embed, alone. */
export class BlockOperator extends EntryOperator {
  readonly block: TimeParser | SeverityParser | TraceParser | ScopeNameParser;
  constructor(config: Config<typeof transformerKeys>, context: OperatorContext) {
    super(config, context);
    this.block = blocks[config.type as keyof typeof blocks](config, context);
  }
  handle(entry: Entry): boolean {
    this.block.apply(entry);
    return true;
  }
}
