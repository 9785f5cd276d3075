/** Moves attributes of records to their resource, so that records with the same values come together. */
import { Batch, type Signal } from '#src/core/batch.ts';
import { defineProcessor, type Rewriter } from '#src/core/component.ts';
import type { Counter } from '#src/core/telemetry.ts';
import { encodeAnyValue } from '#src/data/any_value.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import { METRIC_DATA, SCOPE_GROUP } from '#src/data/message_types.ts';
import { BatchReader } from '#src/data/read.ts';
import type { ValueMap } from '#src/data/value.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { configSchema } from './config.ts';
import { copyRecord, ResourceGroup } from './groups.ts';

const ITEMS: Readonly<Record<Signal, string>> = { traces: 'spans', metrics: 'metrics', logs: 'logs' };

interface Counters {
  readonly grouped: Counter;
  readonly others: Counter;
}

class Grouper implements Rewriter {
  readonly #names: readonly string[];
  readonly #keys: readonly number[];
  readonly #moved: ReadonlySet<number>;
  readonly #counters: Counters;
  readonly #reader = new BatchReader();
  /** By the attributes of the resource that they have. */
  #groups = new Map<string, ResourceGroup>();
  /** Of the resource that is read now, by the values that its records have. */
  #ofResource = new Map<string, ResourceGroup>();
  #grouped = 0;

  constructor(names: readonly string[], counters: Counters) {
    this.#names = names;
    this.#keys = names.map(keyId);
    this.#moved = new Set(this.#keys);
    this.#counters = counters;
  }

  rewrite(batch: Batch): Batch | null {
    const reader = this.#reader;
    this.#groups = new Map();
    this.#grouped = 0;
    let count = 0;
    reader.reset(batch);
    while (reader.nextResource()) {
      this.#ofResource = new Map();
      while (reader.nextScope()) {
        while (reader.nextRecord()) {
          if (batch.signal === 'metrics') {
            for (; reader.nextPoint(); count++) this.#takePoint();
          } else {
            this.#takeRecord();
            count++;
          }
        }
      }
    }
    this.#counters.grouped.add(this.#grouped);
    this.#counters.others.add(count - this.#grouped);
    if (count === 0) return null;
    const writer = new ProtoWriter(batch.sizeBytes + 1024);
    for (const group of this.#groups.values()) group.write(writer);
    this.#groups = this.#ofResource = new Map();
    return new Batch(batch.signal, [writer.take()], count, batch.context, true);
  }
  #takeRecord(): void {
    const { record, scope } = this.#reader;
    const group = this.#group(record);
    copyRecord(group.scope(scope).records, SCOPE_GROUP.records, record, this.#moved);
  }
  #takePoint(): void {
    const { point, scope } = this.#reader;
    const group = this.#group(point);
    copyRecord(group.scope(scope).points(this.#reader), METRIC_DATA.dataPoints, point, this.#moved);
  }

  /** The group of the record or point under the cursor. */
  #group(item: Cursor): ResourceGroup {
    let values = '',
      found = false;
    for (let i = 0; i < this.#keys.length; i++) {
      const row = item.row(this.#keys[i]!);
      if (row < 0) values += '-';
      else {
        const start = item.valueStart(row),
          end = item.valueEnd(row);
        values += `${end - start}:${item.space.bytes.latin1Slice(start, end)}`;
        found = true;
      }
    }
    if (found) this.#grouped++;
    let group = this.#ofResource.get(values);
    if (group !== undefined) return group;
    const attributes = this.#reader.resource.attributes();
    for (let i = 0; i < this.#keys.length; i++) {
      const row = item.row(this.#keys[i]!);
      if (row >= 0) attributes.set(this.#names[i]!, item.value(row));
    }
    const name = nameOf(attributes);
    group = this.#groups.get(name);
    if (group === undefined) {
      group = new ResourceGroup(attributes);
      this.#groups.set(name, group);
    }
    this.#ofResource.set(values, group);
    return group;
  }
}

/** The same for the same attributes in any order. */
function nameOf(attributes: ValueMap): string {
  return attributes.keys
    .map((key, i) => `${key}\0${encodeAnyValue(attributes.values[i]!).toString('latin1')}`)
    .sort()
    .join('\0\0');
}

export default defineProcessor({
  type: 'groupbyattrs',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  createRewriter({ config, signal, telemetry }) {
    const items = ITEMS[signal];
    return new Grouper([...new Set(config.keys.filter((key) => key !== ''))], {
      grouped: telemetry.counter(`processor_groupbyattrs_num_grouped_${items}`, '1', `Number of ${items} that had attributes grouped`),
      others: telemetry.counter(`processor_groupbyattrs_num_non_grouped_${items}`, '1', `Number of ${items} that did not have attributes grouped`),
    });
  },
});
