/** What all parsers share: parse_from, parse_to, body, and the embedded blocks, which are tried all, whatever became of the others. */
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { Field } from '#receivers/file_log/field.ts';
import { cloneValue, typeName, type Value, type ValueMap } from '#receivers/file_log/value.ts';
import { EntryOperator, fieldSchema, type OperatorContext, transformerKeys } from './base.ts';
import { ScopeNameParser, scopeNameKeys, SeverityParser, severityKeys, TimeParser, timeKeys, TraceParser, traceKeys } from './embedded.ts';

export const parserKeys = {
  ...transformerKeys,
  parse_from: fieldSchema().default(() => new Field('body', [])),
  parse_to: fieldSchema(true).default(() => new Field('attributes', [])),
  body: fieldSchema().optional(),
  timestamp: z.object(timeKeys).optional(),
  severity: z.object(severityKeys).optional(),
  trace: z.object(traceKeys).optional(),
  scope_name: z.object(scopeNameKeys).optional(),
};
export type ParserKeys = z.output<z.ZodObject<typeof parserKeys>>;

export abstract class Parser extends EntryOperator {
  readonly parseFrom: Field;
  readonly parseTo: Field;
  readonly bodyField: Field | null;
  readonly timestamp: TimeParser | null;
  readonly severity: SeverityParser | null;
  readonly trace: TraceParser | null;
  readonly scopeName: ScopeNameParser | null;

  constructor(config: ParserKeys, context: OperatorContext) {
    super(config, context);
    this.parseFrom = config.parse_from;
    this.parseTo = config.parse_to;
    this.bodyField = config.body ?? null;
    const nowMs = (): number => context.nowMs();
    this.timestamp = config.timestamp === undefined ? null : new TimeParser(config.timestamp, nowMs);
    this.severity = config.severity === undefined ? null : new SeverityParser(config.severity);
    this.trace = config.trace === undefined ? null : new TraceParser(config.trace);
    this.scopeName = config.scope_name === undefined ? null : new ScopeNameParser(config.scope_name);
  }

  /** The values found in a text. Throws where it does not parse. */
  abstract parse(text: string, entry: Entry): ValueMap | Value[];

  handle(entry: Entry): boolean {
    this.parseInto(entry);
    return true;
  }

  parseInto(entry: Entry): void {
    const value = this.parseFrom.get(entry);
    if (value === undefined) throw new Error(`entry is missing the expected parse_from field ${this.parseFrom}`);
    if (typeof value !== 'string') throw new Error(`type ${typeName(value)} cannot be parsed by ${this.type}`);
    this.parseTo.set(entry, this.parse(value, entry));
    const body = this.bodyField?.get(entry);
    if (body !== undefined) entry.body = cloneValue(body);
    let fault: unknown;
    for (const block of [this.timestamp, this.severity, this.trace, this.scopeName]) {
      try {
        block?.apply(entry);
      } catch (error) {
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
  }
}
