/**
 * From the bytes of an entry to records in the batch: by the fast path where there is one and the line suits it, else as an Entry through the
 * chain. Both give the same records (entries.test.ts).
 */
import type { Chain } from './chain.ts';
import type { Config } from './config.ts';
import { Entry } from './entry.ts';
import type { ExprText } from './expr/expr_text.ts';
import { compileFast, type FastLines } from './fast/compile.ts';
import type { LogBatch } from './log_batch.ts';
import type { OperatorContext } from './operators/base.ts';
import { fileAttributes } from './tail/file_attributes.ts';
import type { Splitter } from './tail/split.ts';
import type { TailedFile } from './tail/tailed_file.ts';
import { cloneValue, type Value, type ValueMap } from './value.ts';

/** What all entries of a file have in common. */
export interface FileBasis {
  readonly path: string;
  readonly attributes: ValueMap;
  readonly resource: ValueMap;
}

export class EntryFactory {
  readonly #config: Config;
  readonly #chain: Chain;
  readonly #splitter: Splitter;
  readonly #context: OperatorContext;
  readonly #batch: LogBatch;
  readonly #nowMs: () => number;
  readonly #bases = new Map<string, FileBasis>();
  readonly #computedAttributes: readonly (readonly [string, ExprText])[];
  readonly #computedResource: readonly (readonly [string, ExprText])[];
  readonly #fast: FastLines | null;
  /** When the lines at hand were read. */
  #observedMs = 0;

  constructor(config: Config, chain: Chain, splitter: Splitter, context: OperatorContext, batch: LogBatch, nowMs: () => number) {
    this.#config = config;
    this.#chain = chain;
    this.#splitter = splitter;
    this.#context = context;
    this.#batch = batch;
    this.#nowMs = nowMs;
    this.#computedAttributes = Object.entries(config.attributes).filter(([, text]) => text.fixed === null);
    this.#computedResource = Object.entries(config.resource).filter(([, text]) => text.fixed === null);
    const simple =
      this.#computedAttributes.length === 0 && this.#computedResource.length === 0 && !config.include_file_record_number && !config.include_file_record_offset;
    this.#fast = simple && splitter.isPlain && splitter.encoding.isUtf8 ? compileFast(config, chain) : null;
  }

  get isFast(): boolean {
    return this.#fast !== null;
  }

  /** Call before entries of a file come: its name may have changed. */
  openFile(file: TailedFile, nowMs: number): void {
    this.#observedMs = nowMs;
    const known = this.#bases.get(file.id);
    if (known !== undefined && known.path === file.path) return;
    const attributes: ValueMap = new Map<string, Value>(),
      resource: ValueMap = new Map<string, Value>();
    for (const [key, text] of Object.entries(this.#config.attributes)) if (text.fixed !== null) attributes.set(key, text.fixed);
    for (const [key, text] of Object.entries(this.#config.resource)) if (text.fixed !== null) resource.set(key, text.fixed);
    for (const [key, value] of file.headerAttributes) attributes.set(key, value);
    for (const [key, value] of fileAttributes(file.path, this.#config)) attributes.set(key, value);
    this.#bases.set(file.id, { path: file.path, attributes, resource });
    this.#fast?.forget(file.id);
  }

  /** What was computed for a file is out of date. */
  forget(file: TailedFile): void {
    this.#bases.delete(file.id);
    this.#fast?.forget(file.id);
  }

  #basis(file: TailedFile): FileBasis {
    let basis = this.#bases.get(file.id);
    if (basis === undefined) {
      this.openFile(file, this.#nowMs());
      basis = this.#bases.get(file.id)!;
    }
    return basis;
  }

  /** `most` and `mostBytes`: what the batch has room for. */
  takeLines(file: TailedFile, bytes: Buffer, from: number, end: number, position: number, most: number, mostBytes: number): number {
    return this.#fast!.take(this.#batch, this.#basis(file), this.#observedMs, file, bytes, from, end, most, mostBytes, (start, stop, at) =>
      this.take(file, bytes, start, stop, position + at - from),
    );
  }

  take(file: TailedFile, bytes: Buffer, start: number, end: number, position: number): void {
    const basis = this.#basis(file),
      config = this.#config,
      encoding = this.#splitter.encoding;
    const entry = new Entry(this.#observedMs);
    entry.source = file.id;
    entry.position = position;
    entry.body = encoding.raw ? Uint8Array.prototype.slice.call(bytes, start, end) : encoding.text(bytes, start, end);
    entry.attributes = cloneValue(basis.attributes) as ValueMap;
    entry.resource = cloneValue(basis.resource) as ValueMap;
    try {
      for (const [key, text] of this.#computedAttributes) entry.attributes.set(key, text.evaluate(entry));
      for (const [key, text] of this.#computedResource) entry.resource.set(key, text.evaluate(entry));
    } catch (error) {
      this.#context.failed('file_input', error, false);
      return;
    }
    if (config.include_file_record_number) entry.attributes.set('log.file.record_number', BigInt(file.recordNumber));
    if (config.include_file_record_offset) entry.attributes.set('log.file.record_offset', BigInt(position));
    this.#chain.process(entry);
    this.drain();
  }

  /** Moves what reached the end of the chain into the batch. */
  drain(): void {
    const out = this.#chain.out;
    if (out.length === 0) return;
    for (let i = 0; i < out.length; i++) this.#batch.add(out[i]!);
    out.length = 0;
  }

  /** For each file the place of its first entry that is held back by an operator; null where there is none. */
  heldPlaces(): Map<string, number> | null {
    if (this.#chain.held === 0) return null;
    const places = new Map<string, number>();
    this.#chain.eachHeld((entry) => places.set(entry.source, Math.min(places.get(entry.source) ?? entry.position, entry.position)));
    return places;
  }
}
