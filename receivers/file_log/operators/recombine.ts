/** Joins entries of one source into one: until the next first entry, up to a last entry, or until a limit or the flush period. */
import { z } from 'zod';
import { byteSize } from '#receivers/file_log/byte_size.ts';
import type { Entry } from '#receivers/file_log/entry.ts';
import type { Expression } from '#receivers/file_log/expr/compile.ts';
import { Field } from '#receivers/file_log/field.ts';
import { duration } from '#src/config/schema.ts';
import { compileCondition, EntryOperator, fieldSchema, type OperatorContext, transformerKeys } from './base.ts';

export const recombineKeys = {
  ...transformerKeys,
  is_first_entry: z.string().default(''),
  is_last_entry: z.string().default(''),
  combine_field: fieldSchema().optional(),
  combine_with: z.string().default('\n'),
  max_batch_size: z.number().int().default(1000),
  max_unmatched_batch_size: z.number().int().default(100),
  max_sources: z.number().int().positive().default(1000),
  overwrite_with: z.string().default('oldest'),
  force_flush_period: duration().prefault('5s'),
  max_log_size: byteSize().prefault(0),
  source_identifier: fieldSchema().default(() => new Field('attributes', ['log.file.path'])),
};

interface Batch {
  readonly first: Entry;
  base: Entry;
  count: number;
  parts: string[];
  size: number;
  firstMs: number;
  matched: boolean;
}

/** What joins parts; the container operator has one for the partial lines of a runtime. */
export class Joiner {
  readonly #batches = new Map<string, Batch>();
  readonly limits: { maxLogSize: number; maxBatchSize: number; maxUnmatched: number; maxSources: number; flushMs: number };
  readonly #field: Field;
  readonly #glue: string;
  readonly #newest: boolean;
  readonly #write: (entry: Entry) => void;

  constructor(field: Field, glue: string, newest: boolean, limits: Joiner['limits'], write: (entry: Entry) => void) {
    this.#field = field;
    this.#glue = glue;
    this.#newest = newest;
    this.limits = limits;
    this.#write = write;
  }

  get held(): number {
    return this.#batches.size;
  }

  eachHeld(visit: (entry: Entry) => void): void {
    for (const batch of this.#batches.values()) visit(batch.first);
  }

  /** Adds an entry to its source's batch. Throws where it has no text to join: it is lost then, as in the Collector. */
  add(entry: Entry, source: string, matched: boolean): void {
    const limits = this.limits;
    let batch = this.#batches.get(source);
    if (batch === undefined) {
      if (this.#batches.size >= limits.maxSources) this.flushAll();
      batch = { first: entry, base: entry, count: 1, parts: [], size: 0, firstMs: entry.observedMs, matched };
      this.#batches.set(source, batch);
    } else {
      batch.count++;
      if (this.#newest) batch.base = entry;
      batch.matched ||= matched;
    }
    const value = this.#field.get(entry);
    if (typeof value !== 'string') throw new Error('entry does not contain the combine_field');
    if (batch.parts.length > 0) batch.size += Buffer.byteLength(this.#glue);
    batch.parts.push(value);
    batch.size += Buffer.byteLength(value);
    const full = limits.maxLogSize > 0 && batch.size > limits.maxLogSize,
      many = limits.maxBatchSize > 0 && batch.count >= limits.maxBatchSize;
    if (full || many || (!batch.matched && limits.maxUnmatched > 0 && batch.count >= limits.maxUnmatched)) this.flush(source);
  }

  flush(source: string): void {
    const batch = this.#batches.get(source);
    if (batch === undefined) return;
    this.#batches.delete(source);
    this.#field.set(batch.base, batch.parts.join(this.#glue));
    this.#write(batch.base);
  }

  flushAll(): void {
    for (const source of [...this.#batches.keys()]) this.flush(source);
  }

  flushOlderThan(nowMs: number): void {
    for (const [source, batch] of [...this.#batches]) if (nowMs - batch.firstMs >= this.limits.flushMs) this.flush(source);
  }
}

export class Recombine extends EntryOperator {
  readonly #isMark: Expression;
  readonly #marksFirst: boolean;
  readonly #source: Field;
  readonly #joiner: Joiner;

  constructor(config: z.output<z.ZodObject<typeof recombineKeys>>, context: OperatorContext) {
    super(config, context);
    if (config.is_first_entry !== '' && config.is_last_entry !== '') throw new Error('only one of is_first_entry and is_last_entry can be set');
    if (config.is_first_entry === '' && config.is_last_entry === '') throw new Error('one of is_first_entry and is_last_entry must be set');
    if (config.combine_field === undefined) throw new Error("missing required argument 'combine_field'");
    if (config.overwrite_with !== 'newest' && config.overwrite_with !== 'oldest')
      throw new Error(`invalid value '${config.overwrite_with}' for parameter 'overwrite_with'`);
    this.#marksFirst = config.is_first_entry !== '';
    this.#isMark = compileCondition(this.#marksFirst ? config.is_first_entry : config.is_last_entry);
    this.#source = config.source_identifier;
    this.#joiner = new Joiner(
      config.combine_field,
      config.combine_with,
      config.overwrite_with === 'newest',
      {
        maxLogSize: config.max_log_size,
        maxBatchSize: config.max_batch_size,
        maxUnmatched: config.max_unmatched_batch_size,
        maxSources: config.max_sources,
        flushMs: config.force_flush_period,
      },
      (entry) => this.write(entry),
    );
  }

  handle(entry: Entry): boolean {
    const marks = this.#isMark.test(entry),
      named = this.#source.get(entry),
      source = typeof named === 'string' && named !== '' ? named : entry.source;
    if (marks && this.#marksFirst) this.#joiner.flush(source);
    try {
      this.#joiner.add(entry, source, marks);
    } catch (error) {
      this.context.failed(this.id, error, false);
    }
    if (marks && !this.#marksFirst) this.#joiner.flush(source);
    return false;
  }

  override get held(): number {
    return this.#joiner.held;
  }
  override eachHeld(visit: (entry: Entry) => void): void {
    this.#joiner.eachHeld(visit);
  }
  override tick(nowMs: number): void {
    this.#joiner.flushOlderThan(nowMs);
  }
  override flush(): void {
    this.#joiner.flushAll();
  }
}
