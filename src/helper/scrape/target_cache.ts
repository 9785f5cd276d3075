/**
 * Turns one exposition after the other of one target into OTLP messages. Guess, then verify: the lines of the last scrape come again, with other
 * numbers, so their text is compared, the numbers are written into the kept message and a copy is handed out. Where a line differs, the exposition is
 * read entry by entry; series that were known keep what is known of them (found by the same guess, else by hash), only new ones are parsed, relabelled
 * and encoded. Staleness, limits and the scrape's own metrics follow Prometheus's scrape loop.
 */
import { END, ExpositionError, ExpositionParser, type Format, HELP, SERIES, TYPE } from '#src/helper/exposition/parser.ts';
import { AttributeArena, DROPPED, INFO, QUANTILE, REPEATED, SampleColumns, SEEN, TIMED, TRACKED } from './columns.ts';
import { FamilyGrouper } from './families.ts';
import { MetadataStore } from './metadata.ts';
import { NameTable } from './name_table.ts';
import { limitResolution } from './native_histogram.ts';
import { type Message, patchMessage, type SampleValues } from './kept_message.ts';
import { encodeMessage, type Infos, type MessageOptions, resourceKey, scopeInfoKey } from './otlp_message.ts';
import { EMPTY_SCOPE, identifySeries, type LabelOptions, SCOPE_INFO } from './series_labels.ts';
import { type Exposition, freshSeries, Reading } from './reading.ts';
import { MAX_AHEAD_MS, readSameLines } from './same_lines.ts';
import { equalBytes, hashBytes, viewOf } from './words.ts';

export interface CacheOptions extends LabelOptions, MessageOptions {
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly sampleLimit: number;
  readonly histogramBucketLimit: number;
  readonly histogramMaxSchema: number;
  readonly extraMetrics: boolean;
  readonly timeoutSeconds: number;
}

export interface ScrapeReport {
  readonly timeMs: number;
  readonly durationSeconds: number;
  /** Size of the answer; -1 where it was over the limit. */
  readonly bodyBytes: number;
}

export interface ScrapeResult {
  /** The message, lent until `release` is called; for good where it is not. Null where there is nothing to send. */
  readonly message: Buffer | null;
  /** See BatchOrigin. */
  readonly layout: object | null;
  readonly release: (() => void) | null;
  readonly pointCount: number;
  /** Why the exposition was refused, or null. */
  readonly error: ExpositionError | null;
  readonly samples: number;
}

const REPORTS = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped', 'scrape_samples_post_metric_relabeling', 'scrape_series_added'];
const EXTRA_REPORTS = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'];
/** Series of a broken exposition that are remembered, so that they do not count as added again. */
const MAX_PENDING_SERIES = 10_000;
/** Scrapes with the same lines after which more of them are expected; and so many that the next lines are expected to stay too. */
const SETTLING = 8;
const LONG_LIVED = 64;
const NO_INFOS: Infos = { resources: new Map(), scopes: new Map() };
const NO_VIEW = new DataView(new ArrayBuffer(0));

const parser = new ExpositionParser();
const grouper = new FamilyGrouper(new SampleColumns(0, 0));

export class TargetCache {
  readonly #options: CacheOptions;
  readonly #metadata = new MetadataStore();
  readonly #attributes = new AttributeArena();
  readonly #reports: readonly string[];
  #columns = new SampleColumns(0, 0);
  /** Of the samples, then of the reports. */
  #values: Float64Array<ArrayBuffer> = new Float64Array(16);
  #times: Float64Array<ArrayBuffer> | null = null;
  readonly #table = new NameTable();
  #message: Message | null = null;
  #format: Format = 'text';
  /** The kept message can be patched: nothing in it happens only once. */
  #steady = false;
  /** Scrapes since the last full reading, whose comments were the same. */
  #patched = 0;
  /** The lines do not seem to change soon, so that others may build on the layout of the message. */
  #isSettled = false;
  #dropped = 0;
  #isTimed = false;
  #pendingSeries = new Set<string>();
  /** How many samples came, were kept after relabelling, and were not known before. */
  #total = 0;
  #added = 0;
  #new = 0;

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#reports = options.extraMetrics ? [...REPORTS, ...EXTRA_REPORTS] : REPORTS;
  }

  get seriesCount(): number {
    return this.#columns.count;
  }

  /** A scrape that brought an exposition. */
  scrape(exposition: Exposition, report: ScrapeReport): ScrapeResult {
    if (exposition.from === exposition.to) {
      this.#beginEmpty();
      return this.#empty(report, null, true);
    }
    if (this.#fast(exposition, report)) return this.#result(null);
    try {
      this.#rebuild(exposition, report);
      return this.#result(null);
    } catch (error) {
      if (!(error instanceof ExpositionError)) throw error;
      return this.#empty(report, error, false);
    }
  }

  /** A scrape that failed before there was an exposition. */
  fail(report: ScrapeReport): ScrapeResult {
    this.#beginEmpty();
    return this.#empty(report, null, false);
  }

  /** The target is gone for good: markers for all its series and for the scrape's own metrics. */
  end(timeMs: number): ScrapeResult {
    this.#rebuildEmpty(timeMs, true);
    return this.#result(null);
  }

  #result(error: ExpositionError | null): ScrapeResult {
    const message = this.#message;
    if (message === null) return { message: null, layout: null, release: null, pointCount: 0, error, samples: this.#total };
    const { bytes, pointCount } = message;
    if (!this.#steady) {
      this.#message = null; // It is not patched, so nobody needs it here.
      return { message: bytes, layout: null, release: null, pointCount, error, samples: this.#total };
    }
    message.lent = true;
    const release = (): void => {
      message.lent = false;
    };
    return { message: bytes, layout: this.#isSettled ? message.layout : null, release, pointCount, error, samples: this.#total };
  }

  /** The kept message, to be written into: a copy where the last one is still read. */
  #writable(message: Message): Message {
    if (!message.lent) return message;
    const bytes = Buffer.allocUnsafeSlow(message.bytes.length);
    message.bytes.copy(bytes);
    const view = viewOf(bytes);
    if (this.#attributes.isElsewhere) this.#attributes.lookInto(bytes, view);
    return { ...message, bytes, view, lent: false };
  }

  #beginEmpty(): void {
    this.#total = 0;
    this.#added = 0;
    this.#new = 0;
    this.#metadata.beginScrape(this.#patched);
    this.#patched = 0;
  }

  /** Nothing came: every tracked series gets its marker, once. */
  #empty(report: ScrapeReport, error: ExpositionError | null, healthy: boolean): ScrapeResult {
    this.#setReports(report, this.#columns.count, healthy);
    this.#rebuildEmpty(report.timeMs, false);
    return this.#result(error);
  }

  #rebuildEmpty(timeMs: number, reportsToo: boolean): void {
    this.#attributes.takeBack(this.#columns);
    const columns = this.#columns;
    const count = columns.count;
    this.#steady = false;
    grouper.begin(columns, this.#table.names, this.#metadata);
    grouper.attributes = this.#attributes.view;
    for (let k = 0; k < count; k++) {
      if ((columns.flags[k]! & TRACKED) === 0) continue;
      if ((columns.flags[k]! & SEEN) !== 0) {
        columns.flags[k]! &= ~SEEN;
        continue;
      }
      grouper.add(k, timeMs, true);
      columns.flags[k] = columns.flags[k]! & ~TRACKED;
    }
    this.#addReports(columns, timeMs, reportsToo);
    this.#message = this.#encode(timeMs, count + this.#reports.length, NO_INFOS);
    columns.count = count;
    grouper.end();
  }

  /** Compares the text with the kept one and writes the numbers into the kept message. False where that cannot be. */
  #fast(exposition: Exposition, report: ScrapeReport): boolean {
    const message = this.#message;
    if (!this.#steady || message === null || exposition.format !== this.#format) return false;
    const { count } = this.#columns;
    const timed = this.#isTimed ? { times: this.#options.honorTimestamps ? this.#times : null, format: this.#format, nowMs: report.timeMs } : null;
    if (!readSameLines(exposition, this.#columns, this.#values, timed)) return false;
    this.#total = count;
    this.#added = count - this.#dropped;
    this.#new = 0;
    this.#setReports(report, count, true);
    const writable = this.#writable(message);
    this.#message = writable;
    if (!patchMessage(writable, this.#samples(report.timeMs), count + this.#reports.length)) return false;
    if (++this.#patched >= SETTLING) this.#isSettled = true;
    return true;
  }

  #samples(timeMs: number): SampleValues {
    return { values: this.#values, times: this.#times, defaultTimeMs: timeMs };
  }

  /** Reads everything, keeping what is known of the series that stay. Throws ExpositionError. */
  #rebuild(exposition: Exposition, report: ScrapeReport): void {
    this.#metadata.beginScrape(this.#patched);
    this.#isSettled = this.#columns.count === 0 || this.#patched >= LONG_LIVED;
    this.#patched = 0;
    this.#steady = false;
    this.#attributes.takeBack(this.#columns);
    const reading = new Reading(this.#columns, exposition);
    try {
      this.#read(reading, exposition, report.timeMs);
    } catch (error) {
      if (error instanceof ExpositionError) this.#keepSeen(reading);
      grouper.end();
      throw error;
    }
    const { columns } = reading;
    const count = columns.count;
    this.#values = reading.values;
    this.#times = reading.times;
    this.#pendingSeries.clear();
    this.#setReports(report, count, true);
    this.#addReports(columns, report.timeMs, false);
    const stale = this.#addStale(reading, count, report.timeMs);
    this.#columns = columns;
    this.#message = this.#encode(report.timeMs, count + this.#reports.length, reading.infos);
    columns.count = count;
    columns.trim();
    this.#attributes.compact(columns);
    this.#table.forget(columns);
    grouper.end();
    this.#format = exposition.format;
    this.#isTimed = reading.isTimed;
    this.#dropped = reading.dropped;
    const complete = this.#metadata.endScrape();
    this.#steady = complete && stale === 0 && !this.#metadata.changedLate && this.#message?.patchable === true && !reading.irregular;
    if (this.#steady) this.#shareAttributes(this.#message!);
  }

  /** Where every sample is a point by itself, its attributes follow its value in the kept message: they need not be kept beside it. */
  #shareAttributes(message: Message): void {
    const columns = this.#columns;
    const { count, flags, attributesAt, attributesSize } = columns;
    for (let k = 0; k < count; k++) {
      if ((flags[k]! & INFO) !== 0) return;
      if ((flags[k]! & DROPPED) !== 0) continue;
      const at = message.valueAt[k]! + 8;
      const size = attributesSize[k]!;
      if (at < 8 || at + size > message.bytes.length || !equalBytes(message.view, at, this.#attributes.view, attributesAt[k]!, size)) return;
    }
    for (let k = 0; k < count; k++) if ((flags[k]! & DROPPED) === 0) attributesAt[k] = message.valueAt[k]! + 8;
    this.#attributes.lookInto(message.bytes, message.view);
  }

  #read(reading: Reading, exposition: Exposition, nowMs: number): void {
    const { columns, old } = reading;
    const { sampleLimit, honorTimestamps, trackTimestampsStaleness } = this.#options;
    this.#total = 0;
    this.#added = 0;
    this.#new = 0;
    let appended = 0;
    let overLimit = false;
    grouper.begin(columns, this.#table.names, this.#metadata);
    parser.reset(exposition.bytes, reading.view, exposition.from, exposition.to, exposition.format);
    for (;;) {
      const guess = reading.guess;
      const known = guess < old.count && (old.flags[guess]! & REPEATED) === 0;
      const entry = parser.next(known ? old.textView : NO_VIEW, known ? old.keyAt[guess]! : 0, known ? old.keySize[guess]! : 0);
      if (entry === END) break;
      if (entry !== SERIES) {
        this.#metadata.set(parser.family, entry === TYPE ? 'type' : entry === HELP ? 'help' : 'unit', parser.text);
        continue;
      }
      this.#total++;
      const k = reading.addLine(parser);
      const was = reading.lookUp(k, parser.lexed);
      const hasTime = !Number.isNaN(parser.timeMs);
      const timed = honorTimestamps && hasTime;
      if (hasTime) {
        columns.flags[k] = TIMED;
        reading.isTimed = true;
      }
      if (was >= 0) {
        columns.copyFrom(reading.isOwn ? columns : old, was, k);
        columns.flags[k]! |= (reading.isOwn ? columns : old).flags[was]! & (DROPPED | INFO | QUANTILE);
      } else this.#identify(reading, k);
      if ((columns.flags[k]! & DROPPED) !== 0) {
        reading.dropped++;
        continue;
      }
      const timeMs = timed ? parser.timeMs : nowMs;
      this.#added++;
      if (reading.isRepetition && !timed) {
        columns.flags[k]! |= REPEATED;
        continue;
      }
      if (sampleLimit > 0 && ++appended > sampleLimit) {
        overLimit = true;
        continue;
      }
      const wasKnown = was >= 0 || (this.#pendingSeries.size > 0 && this.#pendingSeries.has(reading.keyText(k)));
      if (timeMs > nowMs + MAX_AHEAD_MS) {
        reading.irregular = true;
        continue;
      }
      reading.setTime(k, timed ? timeMs : Number.NaN);
      const accepted = this.#append(reading, k, timeMs, exposition);
      if (!wasKnown) this.#new++;
      if (accepted && (!timed || trackTimestampsStaleness)) columns.flags[k]! |= TRACKED;
    }
    reading.finish(exposition);
    if (overLimit) throw new ExpositionError(`sample limit of ${sampleLimit} exceeded`);
  }

  /** Hands sample k to the grouper. False where it makes no point. */
  #append(reading: Reading, k: number, timeMs: number, exposition: Exposition): boolean {
    const { columns } = reading;
    if ((columns.flags[k]! & INFO) !== 0) {
      const info = columns.infos[columns.attributesAt[k]!]!;
      const place = this.#table.places[columns.place[k]!]!;
      if (info.metric === SCOPE_INFO) reading.infos.scopes.set(scopeInfoKey(place), info.labels);
      else {
        const resource = reading.infos.resources.get(resourceKey(place)) ?? new Map<string, string>();
        for (const [name, value] of info.labels) resource.set(name, value);
        reading.infos.resources.set(resourceKey(place), resource);
      }
      return false;
    }
    grouper.attributes = this.#attributes.view;
    let accepted: boolean;
    const native = parser.histogramIndex >= 0;
    if (native) {
      const limited = limitResolution(exposition.histograms[parser.histogramIndex]!, this.#options.histogramBucketLimit, this.#options.histogramMaxSchema);
      if (limited === null) throw new ExpositionError('histogram bucket limit exceeded');
      accepted = grouper.addNative(k, timeMs, limited);
      if (accepted) for (const exemplar of limited.exemplars) grouper.addExemplar(k, exemplar, true);
    } else accepted = grouper.add(k, timeMs, false);
    if (accepted && parser.exemplar !== null) grouper.addExemplar(k, parser.exemplar, native);
    return accepted;
  }

  /** A series that was never seen: its labels are parsed, relabelled, checked and encoded. */
  #identify(reading: Reading, k: number): void {
    const { columns } = reading;
    const { name, labels } = parser.seriesLabels();
    const identity = identifySeries(name, labels, this.#options);
    if (identity === null) {
      columns.flags[k]! |= DROPPED;
      return;
    }
    const { scope } = identity;
    columns.name[k] = this.#table.nameId(identity.name);
    columns.place[k] = this.#table.placeId({ job: identity.job, instance: identity.instance, scope });
    if (identity.info !== null) {
      columns.flags[k]! |= INFO;
      columns.attributesAt[k] = columns.infos.length;
      columns.infos.push({ metric: identity.name, labels: identity.info });
      return;
    }
    this.#setAttributes(columns, k, identity.attributes, identity.baseSize);
    columns.bound[k] = identity.bound;
    if (identity.hasQuantile) columns.flags[k]! |= QUANTILE;
  }

  #setAttributes(columns: SampleColumns, k: number, attributes: Buffer, baseSize: number): void {
    const at = this.#attributes.append(attributes);
    const view = this.#attributes.view;
    columns.attributesAt[k] = at;
    columns.attributesSize[k] = attributes.length;
    columns.baseSize[k] = baseSize;
    columns.attributesHash[k] = hashBytes(view, at, attributes.length);
    columns.baseHash[k] = hashBytes(view, at, baseSize);
  }

  /** Markers for what was tracked in the last scrape and is not among the `count` samples of this one. Their rows come behind those of the reports. */
  #addStale(reading: Reading, count: number, timeMs: number): number {
    const { columns, old, seen } = reading;
    let stale = 0;
    let fresh: Map<number, number[]> | null = null;
    for (let k = 0; k < old.count; k++) {
      if ((old.flags[k]! & TRACKED) === 0 || (seen[k] !== 0 && (columns.flags[seen[k]! - 1]! & TRACKED) !== 0)) continue;
      fresh ??= freshSeries(reading, count);
      const same = fresh.get(old.attributesHash[k]!)?.some((j) => columns.isSameSeries(j, old, k, this.#attributes.view));
      if (same) continue;
      stale++;
      columns.reserve();
      columns.copyFrom(old, k, columns.count);
      columns.flags[columns.count] = old.flags[k]! & QUANTILE;
      grouper.attributes = this.#attributes.view;
      grouper.add(columns.count++, timeMs, true);
    }
    grouper.endStale();
    this.#growValues(columns.count);
    return stale;
  }

  #growValues(count: number): void {
    if (this.#values.length < count) {
      const values = new Float64Array(count);
      values.set(this.#values);
      this.#values = values;
    }
    if (this.#times !== null && this.#times.length < count) {
      const times = new Float64Array(count).fill(Number.NaN);
      times.set(this.#times);
      this.#times = times;
    }
  }

  #setReports(report: ScrapeReport, at: number, healthy: boolean): void {
    this.#growValues(at + this.#reports.length);
    const values = this.#values;
    values[at] = healthy ? 1 : 0;
    values[at + 1] = report.durationSeconds;
    values[at + 2] = this.#total;
    values[at + 3] = this.#added;
    values[at + 4] = this.#new;
    if (this.#options.extraMetrics) {
      values[at + 5] = this.#options.timeoutSeconds;
      values[at + 6] = this.#options.sampleLimit;
      values[at + 7] = report.bodyBytes;
    }
    this.#times?.fill(Number.NaN, at, at + this.#reports.length);
  }

  /** The scrape's own metrics, in the rows behind the samples. */
  #addReports(columns: SampleColumns, timeMs: number, stale: boolean): void {
    const { targetLabels, externalLabels } = this.#options;
    const options: LabelOptions = {
      targetLabels,
      externalLabels,
      honorLabels: false,
      rules: [],
      scheme: 'utf8',
      limits: { labels: 0, nameLength: 0, valueLength: 0 },
    };
    for (const name of this.#reports) {
      columns.reserve();
      const k = columns.count++;
      const identity = identifySeries(name, [], options)!;
      columns.name[k] = this.#table.nameId(name);
      columns.place[k] = this.#table.placeId({ job: identity.job, instance: identity.instance, scope: EMPTY_SCOPE });
      this.#setAttributes(columns, k, identity.attributes, identity.baseSize);
      columns.flags[k] = 0;
      grouper.attributes = this.#attributes.view;
      grouper.add(k, timeMs, stale);
    }
  }

  #encode(timeMs: number, sampleCount: number, infos: Infos): Message | null {
    return encodeMessage(grouper, this.#attributes.view, this.#table.places, this.#samples(timeMs), sampleCount, infos, this.#options);
  }

  /** What an exposition that broke later had before: known from now on, and not stale yet, as in Prometheus, whose cache has them. */
  #keepSeen(reading: Reading): void {
    const { columns, old, seen } = reading;
    for (let k = 0; k < old.count; k++) if (seen[k] !== 0 && (columns.flags[seen[k]! - 1]! & TRACKED) !== 0) old.flags[k]! |= SEEN;
    for (let k = 0; k < columns.count && this.#pendingSeries.size < MAX_PENDING_SERIES; k++)
      if (reading.from[k]! < 0) this.#pendingSeries.add(reading.keyText(k));
  }
}
