/** Counts of one resource: how many items each metric has seen, by the attributes it counts apart, and the time they span. */
import type { Frame } from '#ottl/contexts/context.ts';
import { deepEqual, type Stored, toJson, typeName, ValueMap } from '#ottl/values.ts';
import { writeKeyValues } from '#src/data/any_value.ts';
import { resource, scope } from '#src/data/contexts.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { METRIC, METRIC_DATA, NUMBER_POINT, TEMPORALITY } from '#src/data/message_types.ts';
import type { ProtoWriter } from '#src/wire/proto_writer.ts';
import type { MetricInfo } from './config.ts';

export interface CountedMetric {
  readonly name: string;
  readonly info: MetricInfo;
  /** Null: everything is counted. */
  readonly matches: ((frame: Frame) => boolean) | null;
}
interface Count {
  readonly attributes: ValueMap;
  count: number;
}

export class Counter {
  readonly #metrics: readonly CountedMetric[];
  readonly #counts: Map<string, Count>[];
  #first = 0n;
  #last = 0n;
  constructor(metrics: readonly CountedMetric[]) {
    this.#metrics = metrics;
    this.#counts = metrics.map(() => new Map());
  }
  get isEmpty(): boolean {
    return this.#counts.every((counts) => counts.size === 0);
  }
  /** A time of an item; 0 says nothing. */
  noteTime(unixNano: bigint): void {
    if (unixNano === 0n) return;
    if (this.#first === 0n || unixNano < this.#first) this.#first = unixNano;
    if (unixNano > this.#last) this.#last = unixNano;
  }
  /** Counts the item under the cursors; null: an item without attributes of its own (a metric). */
  add(item: Cursor | null, frame: Frame): void {
    this.#metrics.forEach((metric, i) => {
      const attributes = dimensions(metric.info, item);
      if (attributes === null || (metric.matches !== null && !metric.matches(frame))) return;
      const key =
        attributes.size === 0 ? '' : attributes.values.map((value) => `${typeName(value)}${typeof value === 'number' ? value : toJson(value)}`).join('\n');
      const counts = this.#counts[i]!;
      const found = counts.get(key);
      if (found && deepEqual(found.attributes, attributes)) found.count++;
      else counts.set(key, { attributes, count: 1 });
    });
  }
  /** Writes the metrics that counted something, as fields `field` of the message that is open; `now` where no item had a time. Returns how many data points. */
  write(writer: ProtoWriter, field: number, now: bigint): number {
    let points = 0;
    for (const [i, { name, info }] of this.#metrics.entries()) {
      const counts = this.#counts[i]!;
      if (counts.size === 0) continue;
      points += counts.size;
      const metric = writer.open(field);
      writer.text(METRIC.name, name);
      if (info.description !== '') writer.text(METRIC.description, info.description);
      const sum = writer.open(METRIC.sum);
      for (const { attributes, count } of counts.values()) {
        const point = writer.open(METRIC_DATA.dataPoints);
        writer.fixed64Value(NUMBER_POINT.startTimeUnixNano, this.#first === 0n ? now : this.#first);
        writer.fixed64Value(NUMBER_POINT.timeUnixNano, this.#first === 0n ? now : this.#last);
        writer.fixed64Value(NUMBER_POINT.asInt, BigInt(count));
        writeKeyValues(writer, NUMBER_POINT.attributes, attributes);
        writer.close(point);
      }
      writer.int(METRIC_DATA.aggregationTemporality, TEMPORALITY.delta);
      writer.bool(METRIC_DATA.isMonotonic, true);
      writer.close(sum);
      writer.close(metric);
    }
    return points;
  }
}

/** The values to count apart by; null where one is missing and has no default. */
function dimensions(info: MetricInfo, item: Cursor | null): ValueMap | null {
  const attributes = new ValueMap();
  for (const { key, default_value } of info.attributes) {
    const found: Stored | undefined = item?.attribute(key) ?? scope.attribute(key) ?? resource.attribute(key) ?? defaultOf(default_value);
    if (found === undefined) return null;
    attributes.set(key, found);
  }
  return attributes;
}
function defaultOf(value: string | number | boolean | undefined): Stored | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}
