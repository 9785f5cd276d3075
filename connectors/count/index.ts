/** Counts spans, span events, metrics, data points and log records of each resource, and sends the counts of a batch on as sums. */
import { Frame } from '#ottl/contexts/context.ts';
import { anyCondition, ErrorPolicy } from '#ottl/group.ts';
import { Batch, type Signal } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import { defineConnector } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import { writeKeyValues } from '#src/data/any_value.ts';
import {
  dataPoint,
  INNER_LEVEL,
  KEEP,
  type Level,
  log,
  metric,
  type Pass,
  position,
  RECORD_LEVEL,
  RESOURCE_LEVEL,
  resource,
  span,
  spanEvent,
} from '#src/data/contexts.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { LOG, METRIC, NUMBER_POINT, RESOURCE, RESOURCE_GROUP, SCOPE, SCOPE_GROUP, SPAN, SPAN_EVENT } from '#src/data/message_types.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { type Config, COUNTED, type Counted, compileConditions, configSchema } from './config.ts';
import { type CountedMetric, Counter } from './counter.ts';

/** The scope of the metrics: the Collector's, so that dashboards find them. */
const SCOPE_NAME = 'github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector';

interface Kind {
  readonly counted: Counted;
  readonly level: Level;
  /** Whose attributes are counted by; null: none. */
  readonly item: Cursor | null;
  /** Fields of the item with times. */
  readonly times: readonly number[];
}
const KINDS: Readonly<Record<Signal, readonly Kind[]>> = {
  traces: [
    { counted: 'spans', level: RECORD_LEVEL, item: span, times: [SPAN.startTimeUnixNano, SPAN.endTimeUnixNano] },
    { counted: 'spanevents', level: INNER_LEVEL, item: spanEvent, times: [SPAN_EVENT.timeUnixNano] },
  ],
  metrics: [
    { counted: 'metrics', level: RECORD_LEVEL, item: null, times: [] },
    // Every kind of data point has its time in the same field.
    { counted: 'datapoints', level: INNER_LEVEL, item: dataPoint, times: [NUMBER_POINT.timeUnixNano] },
  ],
  logs: [{ counted: 'logs', level: RECORD_LEVEL, item: log, times: [LOG.timeUnixNano] }],
};

/** Walks batches of one signal and writes what it counted. Nothing is kept from one batch to the next. */
class BatchCounter {
  readonly #signal: Signal;
  readonly #clock: Clock;
  readonly #kinds: readonly { readonly kind: Kind; readonly metrics: readonly CountedMetric[]; readonly frame: Frame }[];
  readonly #walk: BytesRewriter;
  readonly #writer = new ProtoWriter(4096);
  #counters: Counter[] = [];
  #resource: Uint8Array | null = null;
  #points = 0;

  constructor(signal: Signal, config: Config, clock: Clock, logger: Log) {
    this.#signal = signal;
    this.#clock = clock;
    const policy = new ErrorPolicy('propagate', logger, clock);
    this.#kinds = KINDS[signal].map((kind) => ({
      kind,
      frame: new Frame(COUNTED[kind.counted].context),
      metrics: Object.entries(config[kind.counted]).map(([name, info]) => {
        const conditions = compileConditions(kind.counted, info);
        return { name, info, matches: conditions.length > 0 ? anyCondition(conditions, policy) : null };
      }),
    }));
    const passes: Pass[] = [{ level: RESOURCE_LEVEL, reads: 0, writes: 0, visit: () => this.#beginResource() }];
    this.#kinds.forEach(({ kind, frame }, i) => {
      passes.push({ level: kind.level, reads: 0xf, writes: 0, visit: () => this.#count(i, kind, frame) });
    });
    this.#walk = new BytesRewriter(signal, passes);
  }
  /** Metrics of the batch, or null where nothing was counted. */
  count(batch: Batch): Batch | null {
    this.#writer.reset();
    this.#resource = null;
    this.#points = 0;
    this.#walk.rewrite(batch);
    this.#endResource();
    return this.#points === 0 ? null : new Batch('metrics', [this.#writer.take()], this.#points, batch.context);
  }
  #beginResource(): number {
    this.#endResource();
    const writer = new ProtoWriter(256);
    writeKeyValues(writer, RESOURCE.attributes, resource.attributes());
    this.#resource = writer.finish();
    this.#counters = this.#kinds.map(({ metrics }) => new Counter(metrics));
    return KEEP;
  }
  #count(i: number, kind: Kind, frame: Frame): number {
    if (this.#signal === 'metrics' && kind.level === RECORD_LEVEL && position.metricKind === 0)
      throw new RetryableError(`metric "${metric.text(METRIC.name)}": invalid metric type: Empty`);
    const counter = this.#counters[i]!;
    for (const field of kind.times) if (kind.item) counter.noteTime(kind.item.fixed64(field));
    frame.reset();
    counter.add(kind.item, frame);
    return KEEP;
  }
  #endResource(): void {
    if (this.#resource === null || this.#counters.every((counter) => counter.isEmpty)) return;
    const writer = this.#writer;
    const now = BigInt(Math.round(this.#clock.nowMs() * 1000)) * 1000n;
    const group = writer.open(1);
    writer.bytes(RESOURCE_GROUP.resource, this.#resource);
    const scopeMetrics = writer.open(RESOURCE_GROUP.scopes);
    const scopeMark = writer.open(SCOPE_GROUP.scope);
    writer.text(SCOPE.name, SCOPE_NAME);
    writer.close(scopeMark);
    for (const counter of this.#counters) this.#points += counter.write(writer, SCOPE_GROUP.records, now);
    writer.close(scopeMetrics);
    writer.close(group);
    this.#resource = null;
  }
}

export default defineConnector({
  type: 'count',
  routes: [
    ['traces', 'metrics', 'alpha'],
    ['metrics', 'metrics', 'alpha'],
    ['logs', 'metrics', 'alpha'],
  ],
  configSchema,
  create({ config, next, clock, telemetry }) {
    const counters = new Map<Signal, BatchCounter>();
    return {
      async consume(batch) {
        let counter = counters.get(batch.signal);
        if (!counter) {
          counter = new BatchCounter(batch.signal, config, clock, telemetry.log);
          counters.set(batch.signal, counter);
        }
        const counts = counter.count(batch);
        if (counts !== null) await next.metrics?.consume(counts);
      },
    };
  },
});
