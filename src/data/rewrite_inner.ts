/**
 * The records inside the record that is visited: the data points of a metric, the events of a span. Their edits go into the main list at once, since
 * nothing comes between; the data of a metric (Gauge, Sum…) has a list of its own, as has everything that encloses.
 */
import type { Cursor } from './cursor.ts';
import { dataPoint, DROP, metric, metricData, position, span, spanEvent } from './contexts.ts';
import { kindOf } from './cursor_fields.ts';
import { EditList } from './edits.ts';
import { METRIC_DATA, pointTypeOf, SPAN, SPAN_EVENT_TYPE } from './message_types.ts';
import { NestedField } from './nested_field.ts';
import { mergeEdits } from './rewrite_enclosing.ts';
import { findMessage, messageEnd, messageStart } from './scan.ts';
import { arena } from './space.ts';

/** In place of a number of bytes: the message goes. */
export const GONE = -0x7fffffff;

export class InnerRecords {
  visits: readonly (() => number)[] = [];
  /** Whether a metric goes when its last point was dropped. */
  dropsEmptyMetrics = false;
  /** Data points that were dropped one by one. */
  dropped = 0;
  readonly #main: EditList;
  readonly #dataEdits = new EditList();
  readonly #field = new NestedField();
  #kept = 0;
  // What is visited, for `editsSoFar`: its cursor, its first row, its length field, and the first row of those before it.
  #visited: Cursor | null = null;
  #first = 0;
  #lengthAt = 0;
  #firstOfAll = 0;

  constructor(main: EditList) {
    this.#main = main;
    metricData.edits = this.#dataEdits;
    dataPoint.edits = spanEvent.edits = main;
  }

  /** Before a record is visited. */
  reset(): void {
    this.#dataEdits.count = 0;
    this.#visited = null;
  }

  /** Puts metricData and position on the data of the metric: of several kinds the last in the bytes. */
  scanMetric(): void {
    const kind = kindOf(metric);
    position.metricKind = kind;
    if (kind === 0) {
      metricData.scan(metric.start, metric.start);
      return;
    }
    this.#field.find(metric.start, metric.end, (kind << 3) | 2);
    metricData.scan(this.#field.start, this.#field.end);
  }

  /** A callback set the data, or all points, as a whole: then the metric must be written in one piece first, since an edit cannot hold edits. */
  get isReplaced(): boolean {
    const from = metric.contentStart(position.metricKind);
    if (position.metricKind !== 0 && (from < metric.start || from > metric.end)) return true;
    return this.visits.length > 0 && metricData.isEdited(METRIC_DATA.dataPoints);
  }

  /** Visits the points of the metric and closes its data; returns by how many bytes it grows, or GONE. */
  visitData(): number {
    if (position.metricKind === 0) return 0; // Nothing was dropped from it: a metric without data stays, as in the Collector.
    const main = this.#main;
    const { start, end } = metricData;
    const header = main.count;
    main.add(start, start, 0, 0);
    let delta = 0;
    if (this.visits.length > 0) {
      delta = this.#visit(start, end, 0x0a, dataPoint);
      if (this.dropsEmptyMetrics && this.#kept === 0) return GONE;
    }
    delta += mergeEdits(main, header + 1, this.#dataEdits);
    if (main.count > header + 1) return main.setLength(header, this.#field.lengthAt, start, end, delta);
    main.count = header;
    return 0;
  }
  /** Visits the events of the span. */
  visitEvents(): number {
    return span.has(SPAN.events) ? this.#visit(span.firstAt(SPAN.events), span.contentEnd(SPAN.events), 0x5a, spanEvent) : 0;
  }
  #visit(start: number, end: number, tag: number, cursor: Cursor): number {
    const main = this.#main;
    const { visits } = this;
    const type = cursor === dataPoint ? pointTypeOf(position.metricKind) : SPAN_EVENT_TYPE;
    let delta = 0;
    let kept = 0;
    let index = 0;
    this.#firstOfAll = main.count;
    let next = start;
    for (let p = findMessage(arena.bytes, next, end, tag); p >= 0; p = findMessage(arena.bytes, next, end, tag)) {
      const content = messageStart;
      next = messageEnd;
      const first = main.count;
      main.add(content, content, 0, 0);
      cursor.scan(content, next, type);
      position.eventIndex = index++;
      this.#visited = cursor;
      this.#first = first;
      this.#lengthAt = p + 1;
      let gone = false;
      for (let i = 0; i < visits.length && !gone; i++) gone = visits[i]!() === DROP;
      this.#visited = null;
      if (gone) {
        main.count = first;
        main.add(p, next, 0, 0);
        delta -= next - p;
        if (cursor === dataPoint) this.dropped++;
      } else {
        kept++;
        if (main.count === first + 1) main.count = first;
        else delta += main.setLength(first, p + 1, content, next, main.sort(first + 1));
      }
    }
    this.#kept = kept;
    return delta;
  }

  /** Adds to `all` what was edited inside the record until now. */
  editsSoFar(all: EditList, isMetric: boolean): void {
    const data = new EditList();
    data.add(0, 0, 0, 0);
    if (isMetric) data.addAll(this.#dataEdits, 0);
    if (this.#visited !== null) {
      const { start, end } = this.#visited;
      const own = new EditList();
      own.addAll(this.#main, this.#first);
      if (own.count > 1) own.setLength(0, this.#lengthAt, start, end, own.sort(1));
      data.addAll(this.#main, this.#firstOfAll, this.#first);
      data.addAll(own, own.count > 1 ? 0 : 1);
    }
    if (data.count === 1) return;
    if (isMetric) data.setLength(0, this.#field.lengthAt, metricData.start, metricData.end, data.sort(1));
    all.addAll(data, isMetric ? 0 : 1);
  }
}
