/**
 * The instruments behind Telemetry: counters, histograms and gauges, kept per set of attributes and read when somebody scrapes. No export, no
 * views; how they look as text is in metrics_text.ts.
 */
import type { Counter, Histogram, TelemetryAttributes } from './telemetry.ts';

const NO_ATTRIBUTES: TelemetryAttributes = Object.freeze({});
/** Sets of attributes of one instrument; further ones fall together, so that a label with many values does not eat the memory. */
const MAX_SERIES = 2000;
const OVERFLOW: TelemetryAttributes = Object.freeze({ otel_metric_overflow: 'true' });

/** The cells of one instrument by attributes. The same object is found without looking at its keys. */
class Cells<Cell> {
  readonly byKey = new Map<string, { readonly attributes: TelemetryAttributes; readonly cell: Cell }>();
  readonly #byObject = new WeakMap<TelemetryAttributes, Cell>();
  readonly #make: () => Cell;

  constructor(make: () => Cell) {
    this.#make = make;
  }

  get(attributes: TelemetryAttributes): Cell {
    const known = this.#byObject.get(attributes);
    if (known !== undefined) return known;
    const full = this.byKey.size >= MAX_SERIES,
      key = attributesKey(attributes);
    let entry = this.byKey.get(key);
    if (entry === undefined && full) entry = this.byKey.get(attributesKey(OVERFLOW)) ?? this.#add(OVERFLOW);
    entry ??= this.#add(attributes);
    this.#byObject.set(attributes, entry.cell);
    return entry.cell;
  }

  #add(attributes: TelemetryAttributes) {
    const entry = { attributes, cell: this.#make() };
    this.byKey.set(attributesKey(attributes), entry);
    return entry;
  }
}

function attributesKey(attributes: TelemetryAttributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export class CounterInstrument implements Counter {
  readonly kind = 'counter';
  readonly cells = new Cells(() => ({ value: 0 }));
  add(count: number, attributes: TelemetryAttributes = NO_ATTRIBUTES): void {
    this.cells.get(attributes).value += count;
  }
}

export class HistogramInstrument implements Histogram {
  readonly kind = 'histogram';
  readonly bounds: readonly number[];
  readonly cells: Cells<{ sum: number; count: number; readonly buckets: Float64Array }>;
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.cells = new Cells(() => ({ sum: 0, count: 0, buckets: new Float64Array(bounds.length + 1) }));
  }
  /** Upper bounds are included. */
  record(value: number, attributes: TelemetryAttributes = NO_ATTRIBUTES): void {
    const cell = this.cells.get(attributes);
    let index = 0;
    while (index < this.bounds.length && value > this.bounds[index]!) index++;
    cell.buckets[index]!++;
    cell.sum += value;
    cell.count++;
  }
}

/** A value that is read when collected; `observed` as a counter where it only grows (CPU time). */
export class ObservedInstrument {
  readonly kind: 'gauge' | 'observed_counter';
  readonly readers = new Set<{ readonly attributes: TelemetryAttributes; readonly read: () => number }>();
  constructor(kind: 'gauge' | 'observed_counter') {
    this.kind = kind;
  }
}

export type Instrument = CounterInstrument | HistogramInstrument | ObservedInstrument;
export interface Metric {
  readonly name: string;
  readonly unit: string;
  description: string;
  readonly instrument: Instrument;
}

/** All instruments of the program. Asking twice for a name gives the same instrument. */
export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();

  metrics(): Metric[] {
    return [...this.#metrics.values()];
  }

  counter(name: string, unit: string, description = ''): CounterInstrument {
    return this.#instrument(name, unit, description, CounterInstrument, () => new CounterInstrument());
  }

  histogram(name: string, unit: string, bounds: readonly number[], description = ''): HistogramInstrument {
    return this.#instrument(name, unit, description, HistogramInstrument, () => new HistogramInstrument(bounds));
  }

  /** The returned function takes it away again. */
  observe(
    kind: 'gauge' | 'observed_counter',
    name: string,
    unit: string,
    read: () => number,
    attributes: TelemetryAttributes = NO_ATTRIBUTES,
    description = '',
  ): () => void {
    const instrument = this.#instrument(name, unit, description, ObservedInstrument, () => new ObservedInstrument(kind));
    const reader = { attributes, read };
    instrument.readers.add(reader);
    return () => void instrument.readers.delete(reader);
  }

  #instrument<Kind extends Instrument>(name: string, unit: string, description: string, type: new (...parameters: never[]) => Kind, make: () => Kind): Kind {
    const known = this.#metrics.get(name);
    if (known === undefined) {
      const instrument = make();
      this.#metrics.set(name, { name, unit, description, instrument });
      return instrument;
    }
    if (!(known.instrument instanceof type)) throw new Error(`the metric "${name}" is a ${known.instrument.kind} already`);
    if (known.description === '') known.description = description;
    return known.instrument;
  }
}
