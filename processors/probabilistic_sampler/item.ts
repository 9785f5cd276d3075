/** What samplers ask of the record under the cursors: where spans and log records keep their randomness and their threshold. Read for each record anew. */
import type { Cursor } from '#src/data/cursor.ts';
import { log, span } from '#src/data/contexts.ts';
import { keyId } from '#src/data/keys.ts';
import { LOG, SPAN } from '#src/data/message_types.ts';
import { BYTES, DOUBLE, EMPTY, INT, STRING } from '#src/data/value.ts';
import { valueText } from '#src/data/value_text.ts';
import { ALWAYS, Bits56, HIGHEST, NEVER, thresholdOf } from './bits56.ts';
import type { Config } from './config.ts';
import { hashBytes, hashSeed } from './hash.ts';
import { TraceState } from './trace_state.ts';

export interface Item {
  readonly randomness: Bits56;
  readonly threshold: Bits56;
  readonly hasRandomness: boolean;
  readonly hasThreshold: boolean;
  /** Looks at the record; false: what it says cannot be read. */
  read(): boolean;
  /** The randomness of its hash; false: there is nothing to hash. */
  hash(into: Bits56): boolean;
  /** The randomness of its trace id; false: it has none. */
  fromTraceId(into: Bits56): boolean;
  /** Writes the randomness that a hash gave (`found`), or what stands for it where nothing could be hashed. */
  setHashed(randomness: Bits56, found: boolean): void;
  clearThreshold(): void;
  /** Writes the threshold it was kept by; null: the one that it has stays. */
  kept(threshold: Readonly<Bits56> | null): void;
  /** The threshold that its priority asks for in place of the sampler's, or null. */
  priority(): Readonly<Bits56> | null;
}

function traceIdAt(cursor: Cursor, field: number): number {
  const at = cursor.contentStart(field),
    end = cursor.contentEnd(field),
    { bytes } = cursor.space;
  if (end - at !== 16) return -1;
  for (let i = at; i < end; i++) if (bytes[i] !== 0) return at;
  return -1;
}
/** The 56 low bits of the id. */
function idRandomness(cursor: Cursor, field: number, into: Bits56): boolean {
  const at = traceIdAt(cursor, field),
    { bytes } = cursor.space;
  if (at < 0) return false;
  into.high = (bytes[at + 9]! << 20) | (bytes[at + 10]! << 12) | (bytes[at + 11]! << 4) | (bytes[at + 12]! >> 4);
  into.low = ((bytes[at + 12]! & 15) << 24) | (bytes[at + 13]! << 16) | (bytes[at + 14]! << 8) | bytes[at + 15]!;
  return true;
}

/** A span has both in its trace state. */
export class SpanItem implements Item {
  readonly #state = new TraceState();
  readonly #seeded: number;
  readonly #priority = keyId('sampling.priority');
  readonly randomness = this.#state.randomness;
  readonly threshold = this.#state.threshold;
  constructor(config: Config) {
    this.#seeded = hashSeed(config.hash_seed);
  }
  get hasRandomness(): boolean {
    return this.#state.hasRandomness;
  }
  get hasThreshold(): boolean {
    return this.#state.hasThreshold;
  }
  read(): boolean {
    return this.#state.parse(span.text(SPAN.traceState));
  }
  hash(into: Bits56): boolean {
    const at = traceIdAt(span, SPAN.traceId);
    if (at >= 0) hashBytes(this.#seeded, span.space.bytes, at, at + 16, into);
    return at >= 0;
  }
  fromTraceId(into: Bits56): boolean {
    return idRandomness(span, SPAN.traceId, into);
  }
  setHashed(randomness: Bits56, found: boolean): void {
    this.#state.setRandomness(found ? randomness : HIGHEST);
  }
  clearThreshold(): void {
    this.#state.hasThreshold = false;
  }
  kept(threshold: Readonly<Bits56> | null): void {
    if (threshold !== null) this.#state.setThreshold(threshold);
    const text = this.#state.text();
    if (text !== span.text(SPAN.traceState)) span.setText(SPAN.traceState, text);
  }
  /** The OpenTracing tag: 0 drops, more keeps; numbers may be text. */
  priority(): Readonly<Bits56> | null {
    const type = span.readAttribute(this.#priority);
    const value = type === INT || type === DOUBLE ? span.valueNumber : type === STRING ? parseNumber(span.valueText()) : Number.NaN;
    return value === 0 ? NEVER : value > 0 ? ALWAYS : null;
  }
}

/** A log record has both in attributes. */
export class LogItem implements Item {
  readonly randomness = new Bits56();
  readonly threshold = new Bits56();
  hasRandomness = false;
  hasThreshold = false;
  readonly #seeded: number;
  readonly #byTraceId: boolean;
  readonly #source: number;
  readonly #priority: number;
  readonly #precision: number;
  readonly #randomnessKey = keyId('sampling.randomness');
  readonly #thresholdKey = keyId('sampling.threshold');
  constructor(config: Config) {
    this.#seeded = hashSeed(config.hash_seed);
    this.#byTraceId = config.attribute_source === 'traceID';
    this.#source = config.from_attribute === '' ? -1 : keyId(config.from_attribute);
    this.#priority = config.sampling_priority === '' ? -1 : keyId(config.sampling_priority);
    this.#precision = config.sampling_precision;
  }
  read(): boolean {
    const threshold = textOf(this.#thresholdKey),
      randomness = textOf(this.#randomnessKey);
    this.hasThreshold = threshold !== '' && this.threshold.parse(threshold);
    this.hasRandomness = randomness.length === 14 && this.randomness.parse(randomness);
    return this.hasThreshold === (threshold !== '') && this.hasRandomness === (randomness !== '');
  }
  hash(into: Bits56): boolean {
    const at = this.#byTraceId ? traceIdAt(log, LOG.traceId) : -1;
    if (at >= 0) {
      hashBytes(this.#seeded, log.space.bytes, at, at + 16, into);
      return true;
    }
    const row = this.#source < 0 ? -1 : log.row(this.#source);
    if (row < 0) return false;
    const type = log.read(row);
    if (type === STRING || type === BYTES) {
      hashBytes(this.#seeded, log.space.bytes, log.valueAt, log.valueAt + log.valueSize, into);
      return log.valueSize > 0;
    }
    if (type === EMPTY) return false;
    const text = Buffer.from(valueText(log.value(row)));
    hashBytes(this.#seeded, text, 0, text.length, into);
    return true;
  }
  fromTraceId(into: Bits56): boolean {
    return idRandomness(log, LOG.traceId, into);
  }
  setHashed(randomness: Bits56, found: boolean): void {
    if (found) log.setAttributeText(this.#randomnessKey, randomness.digits());
  }
  clearThreshold(): void {
    this.hasThreshold = false;
    log.deleteAttribute(this.#thresholdKey);
  }
  kept(threshold: Readonly<Bits56> | null): void {
    if (threshold !== null) log.setAttributeText(this.#thresholdKey, threshold.thresholdText());
  }
  /** Percent. */
  priority(): Readonly<Bits56> | null {
    const percentage = this.#priority < 0 ? Number.NaN : log.attributeNumber(this.#priority);
    return thresholdOf(percentage / 100, this.#precision);
  }
}

function textOf(key: number): string {
  return log.readAttribute(key) === STRING ? log.valueText() : '';
}
/** NaN where it is no number. */
function parseNumber(text: string): number {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
