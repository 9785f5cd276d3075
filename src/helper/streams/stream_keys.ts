/**
 * What tells the streams of data points apart for processors that remember them: a text of resource, scope, metric and attributes, the same for
 * attributes in any order. The passes keep the parts of what encloses a metric, so that each is put together once.
 */
import { dataPoint, KEEP, metric, metricData, type Pass, position, RESOURCE_LEVEL, resource, SCOPE_LEVEL, scope } from '#src/data/contexts.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { METRIC, METRIC_DATA, SCOPE } from '#src/data/message_types.ts';
import { varintSize } from '#src/wire/bytes.ts';

export class StreamKeys {
  /** To run before those that ask: they note the resource and the scope. */
  readonly passes: readonly Pass[];
  readonly #scopeAttributes: boolean;
  #resource = '';
  #scope = '';

  constructor(options: { readonly scopeAttributes: boolean }) {
    this.#scopeAttributes = options.scopeAttributes;
    this.passes = [
      { level: RESOURCE_LEVEL, reads: 0, writes: 0, visit: () => this.#atResource() },
      { level: SCOPE_LEVEL, reads: 0, writes: 0, visit: () => this.#atScope() },
    ];
  }
  #atResource(): number {
    this.#resource = attributesKey(resource);
    return KEEP;
  }
  #atScope(): number {
    const attributes = this.#scopeAttributes ? attributesKey(scope) : '';
    this.#scope = `${this.#resource}\n${scope.text(SCOPE.name)}\0${scope.text(SCOPE.version)}\0${attributes}`;
    return KEEP;
  }
  /** What the streams of this metric share; from a callback at RECORD_LEVEL. */
  ofMetric(): string {
    const isMonotonic = metricData.bool(METRIC_DATA.isMonotonic) ? 1 : 0;
    return `${this.#scope}\n${metric.text(METRIC.name)}\0${metric.text(METRIC.unit)}\0${position.metricKind}${isMonotonic}`;
  }
}

/** What tells the streams of a metric apart; from a callback at INNER_LEVEL. */
export function pointKey(): string {
  return attributesKey(dataPoint);
}

/** Streams by metric and point: two levels, that the long part of the key is looked up once a metric. */
export class StreamMap<Stream> {
  readonly #metrics = new Map<string, Map<string, Stream>>();
  #metricKey = '';
  #current: Map<string, Stream> | undefined;
  size = 0;

  /** The metric that `get` and `set` are about. */
  enter(metricKey: string): void {
    this.#metricKey = metricKey;
    this.#current = this.#metrics.get(metricKey);
  }
  get(key: string): Stream | undefined {
    return this.#current?.get(key);
  }
  set(key: string, stream: Stream): void {
    if (this.#current === undefined) {
      this.#current = new Map();
      this.#metrics.set(this.#metricKey, this.#current);
    }
    const before = this.#current.size;
    this.#current.set(key, stream);
    this.size += this.#current.size - before;
  }
  /** Takes away all that `isStale`. Not between `enter` and what belongs to it. */
  forget(isStale: (stream: Stream) => boolean): void {
    for (const [metricKey, streams] of this.#metrics) {
      for (const [key, stream] of streams) {
        if (!isStale(stream)) continue;
        streams.delete(key);
        this.size--;
      }
      if (streams.size === 0) this.#metrics.delete(metricKey);
    }
    this.#current = undefined;
  }
}

/** Above, a list is sorted as lists are; below, each part is put where it belongs: they are few, and mostly in order already. */
const FEW = 24;
const parts: string[] = [];
function attributesKey(cursor: Cursor): string {
  if (cursor.attributeCount() > FEW) return longKey(cursor);
  let count = 0;
  for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) {
    const part = attributeKey(cursor, row);
    let at = count++;
    for (; at > 0 && parts[at - 1]! > part; at--) parts[at] = parts[at - 1]!;
    parts[at] = part;
  }
  let key = '';
  for (let i = 0; i < count; i++) key += `${parts[i]!}\n`;
  return key;
}
function longKey(cursor: Cursor): string {
  const all: string[] = [];
  for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) all.push(`${attributeKey(cursor, row)}\n`);
  return all.sort().join('');
}
/** The key, then the value behind its tag and size: one piece where a sender writes the key first, put together where it writes the value first. */
function attributeKey(cursor: Cursor, row: number): string {
  const { bytes } = cursor.space;
  const key = cursor.keyStart(row),
    keyEnd = cursor.keyEnd(row),
    value = cursor.valueStart(row),
    valueEnd = cursor.valueEnd(row);
  const field = value - 1 - varintSize(valueEnd - value);
  return field === keyEnd ? bytes.latin1Slice(key, valueEnd) : bytes.latin1Slice(key, keyEnd) + bytes.latin1Slice(field, valueEnd);
}
