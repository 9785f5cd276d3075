/**
 * Groups the samples of a scrape into OTLP metrics and points: the buckets, sum and count of a histogram are one point, a "_created" line is the start
 * time of another. Which name belongs to which metric follows the receiver of the Collector, where the first sample of a family decides and where a
 * sample that does not fit is left out. Points are columns; one instance serves all targets, one after the other.
 */
import type { ParsedExemplar } from '#src/helper/exposition/parser.ts';
import { QUANTILE, type SampleColumns } from './columns.ts';
import { type Metadata, type MetadataStore, normalizeName } from './metadata.ts';
import type { NativeHistogram } from './native_histogram.ts';
import type { Scope } from './series_labels.ts';
import { equalBytes } from './words.ts';

/** Where a series' point goes. */
export interface Place {
  readonly job: string;
  readonly instance: string;
  readonly scope: Scope;
}

export const GAUGE = 0;
export const SUM = 1;
export const HISTOGRAM = 2;
export const SUMMARY = 3;
export const EXPONENTIAL = 4;
/** Gauge histograms, which OTLP has not: gauges, under the family's name. */
export const GAUGES_OF_FAMILY = 5;
export type Kind = 0 | 1 | 2 | 3 | 4 | 5;

const VALUE = 0;
const COUNT = 1;
const TOTAL = 2;
const CREATED = 3;
const BUCKET = 4;

export interface Family {
  readonly index: number;
  readonly name: string;
  readonly kind: Kind;
  readonly monotonic: boolean;
  readonly metadata: Metadata;
  first: number;
  last: number;
}

export interface PointExemplar {
  readonly exemplar: ParsedExemplar;
  readonly sample: number;
}

/** Columns of the points under construction; -1 is "none". */
class PointColumns {
  capacity = 1024;
  family = new Int32Array(1024);
  hash = new Int32Array(1024);
  attributesAt = new Int32Array(1024);
  attributesSize = new Int32Array(1024);
  next = new Int32Array(1024);
  value = new Int32Array(1024);
  created = new Int32Array(1024);
  total = new Int32Array(1024);
  firstBucket = new Int32Array(1024);
  size = new Int32Array(1024);
  stale = new Uint8Array(1024);
  time = new Float64Array(1024);

  grow(): void {
    const capacity = this.capacity * 2;
    for (const name of ['family', 'hash', 'attributesAt', 'attributesSize', 'next', 'value', 'created', 'total', 'firstBucket', 'size'] as const) {
      const grown = new Int32Array(capacity);
      grown.set(this[name]);
      this[name] = grown;
    }
    const stale = new Uint8Array(capacity);
    stale.set(this.stale);
    this.stale = stale;
    const time = new Float64Array(capacity);
    time.set(this.time);
    this.time = time;
    this.capacity = capacity;
  }
}

export class FamilyGrouper {
  readonly points = new PointColumns();
  pointCount = 0;
  columns: SampleColumns;
  attributes: DataView = new DataView(new ArrayBuffer(0));
  /** By place, then by name; classic and native histograms of one name are two families. */
  families: (Map<string, Family> | undefined)[] = [];
  list: Family[] = [];
  exemplars = new Map<number, PointExemplar[]>();
  histograms = new Map<number, NativeHistogram>();
  /** The next bucket or quantile of the same point. */
  nextBucket = new Int32Array(1024);
  #metadata: MetadataStore | null = null;
  #names: readonly string[] = [];
  #slots = new Int32Array(4096);
  #mask = 4095;
  #lastName = -1;
  #lastPlace = -1;
  #lastVersion = -1;
  #lastNative = false;
  #family: Family | null = null;
  #role = VALUE;
  /** Point and sample of buckets that vanished from a histogram of which something is there. */
  #goneBuckets: number[] = [];

  constructor(columns: SampleColumns) {
    this.columns = columns;
  }

  begin(columns: SampleColumns, names: readonly string[], metadata: MetadataStore): void {
    this.columns = columns;
    this.#names = names;
    this.#metadata = metadata;
    this.pointCount = 0;
    this.families = [];
    this.list = [];
    this.exemplars.clear();
    this.histograms.clear();
    this.#slots.fill(0);
    this.#lastName = -1;
  }

  /** Frees what refers to the target; large columns stay for the next one. */
  end(): void {
    this.families = [];
    this.list = [];
    this.exemplars.clear();
    this.histograms.clear();
    this.#metadata = null;
    this.#names = [];
  }

  /** Adds sample k. False where it cannot be part of its family: it is left out and not tracked. */
  add(k: number, timeMs: number, stale: boolean): boolean {
    const { columns, points } = this;
    const native = stale && this.#isNativeName(columns.name[k]!);
    const family = this.#familyOf(k, native);
    const role = this.#role;
    const kind = family.kind;
    const isCompound = kind === HISTOGRAM || kind === SUMMARY;
    const point = this.#pointOf(k, family, timeMs);
    if (points.time[point] !== timeMs) return false;
    if (stale) {
      const isLive = points.stale[point] === 0 && (points.value[point] !== -1 || points.total[point] !== -1 || points.firstBucket[point] !== -1);
      if (isLive && !isCompound) return false; // The same series came in other words.
      if (isLive && role !== COUNT && role !== TOTAL) {
        this.#goneBuckets.push(point, k); // It leaves the histogram, unless that turns out to be gone too.
        return true;
      }
      points.stale[point] = 1;
    }
    if (native) points.value[point] = k;
    else if (role === CREATED) points.created[point] = stale ? -1 : k;
    else if (!isCompound) {
      if (kind === EXPONENTIAL) return true;
      points.value[point] = k;
    } else if (role === COUNT) points.value[point] = k;
    else if (role === TOTAL) points.total[point] = k;
    else {
      if (Number.isNaN(columns.bound[k]!)) return false;
      this.#addBucket(point, k);
    }
    return true;
  }
  #addBucket(point: number, k: number): void {
    if (k >= this.nextBucket.length) this.#growBuckets(k);
    this.nextBucket[k] = this.points.firstBucket[point]!;
    this.points.firstBucket[point] = k;
  }

  /** After the last marker. */
  endStale(): void {
    const gone = this.#goneBuckets;
    for (let i = 0; i < gone.length; i += 2) if (this.points.stale[gone[i]!] === 1) this.#addBucket(gone[i]!, gone[i + 1]!);
    this.#goneBuckets = [];
  }

  /** Adds sample k, whose value is a native histogram (with custom bounds: a classic one). */
  addNative(k: number, timeMs: number, histogram: NativeHistogram): boolean {
    const family = this.#familyOf(k, true, histogram.customBounds.length > 0);
    const point = this.#pointOf(k, family, timeMs);
    if (this.points.time[point] !== timeMs || (family.kind === EXPONENTIAL) !== (histogram.customBounds.length === 0)) return false;
    this.points.value[point] = k;
    this.histograms.set(point, histogram);
    return true;
  }

  /** The exemplar of sample k, which was added. */
  addExemplar(k: number, exemplar: ParsedExemplar, native: boolean): void {
    const family = this.#familyOf(k, native);
    const point = this.#find(k, family);
    if (point < 0) return;
    const list = this.exemplars.get(point);
    if (list === undefined) this.exemplars.set(point, [{ exemplar, sample: k }]);
    else list.push({ exemplar, sample: k });
  }

  /** A vanished series with the bare name of a histogram can only have been a native one. */
  #isNativeName(name: number): boolean {
    return this.#metadata!.get(this.#names[name]!)?.type === 'histogram';
  }

  #familyOf(k: number, native: boolean, custom = false): Family {
    const { columns } = this;
    const name = columns.name[k]!;
    const place = columns.place[k]!;
    const metadata = this.#metadata!;
    if (name === this.#lastName && place === this.#lastPlace && metadata.version === this.#lastVersion && native === this.#lastNative) return this.#family!;
    const text = this.#names[name]!;
    const families = this.#familiesOf(native ? place * 2 + 1 : place * 2);
    let family = families.get(text);
    if (family === undefined) {
      let wanted = text;
      if (metadata.get(text) === undefined) {
        wanted = normalizeName(text);
        if (text.endsWith('_created') && metadata.get(wanted)?.type === 'counter') wanted += '_total';
      }
      family = families.get(wanted);
      if (family === undefined || !includes(family, text)) {
        family = this.#newFamily(text, native, custom);
        families.set(family.name, family);
      }
    }
    this.#lastName = name;
    this.#lastPlace = place;
    this.#lastVersion = metadata.version;
    this.#lastNative = native;
    this.#family = family;
    this.#role = roleOf(family, text);
    return family;
  }

  #familiesOf(slot: number): Map<string, Family> {
    let families = this.families[slot];
    if (families === undefined) {
      families = new Map();
      this.families[slot] = families;
    }
    return families;
  }

  #newFamily(text: string, native: boolean, custom: boolean): Family {
    let { metadata, name } = this.#metadata!.ofMetric(text);
    metadata = native ? { ...metadata, type: 'histogram' } : { ...metadata }; // A copy: later comments of this scrape do not change the family.
    const kind = kindOf(metadata, native && !custom);
    const family: Family = { index: this.list.length, name, kind, monotonic: metadata.type === 'counter', metadata, first: -1, last: -1 };
    this.list.push(family);
    return family;
  }

  /** Whether the last attribute, le of a histogram or quantile of a summary, is no attribute of the point. */
  #isPart(k: number, family: Family): boolean {
    const hasQuantile = (this.columns.flags[k]! & QUANTILE) !== 0;
    return family.kind === HISTOGRAM ? !hasQuantile : family.kind === SUMMARY;
  }

  #hashOf(k: number, family: Family, isCompound: boolean): number {
    return Math.imul((isCompound ? this.columns.baseHash[k]! : this.columns.attributesHash[k]!) ^ Math.imul(family.index + 1, 0x9e3779b1), 0x85ebca6b);
  }

  #find(k: number, family: Family): number {
    const { points, columns, attributes } = this;
    const isCompound = this.#isPart(k, family);
    const hash = this.#hashOf(k, family, isCompound);
    const size = isCompound ? columns.baseSize[k]! : columns.attributesSize[k]!;
    for (let slot = (hash ^ (hash >>> 16)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const point = this.#slots[slot]! - 1;
      if (point < 0) return -1;
      if (points.hash[point] !== hash || points.family[point] !== family.index || points.attributesSize[point] !== size) continue;
      if (equalBytes(attributes, points.attributesAt[point]!, attributes, columns.attributesAt[k]!, size)) return point;
    }
  }

  #pointOf(k: number, family: Family, timeMs: number): number {
    const isCompound = this.#isPart(k, family);
    const found = this.#find(k, family);
    if (found >= 0) return found;
    const { points, columns } = this;
    if (this.pointCount === points.capacity) points.grow();
    const point = this.pointCount++;
    points.family[point] = family.index;
    points.hash[point] = this.#hashOf(k, family, isCompound);
    points.attributesAt[point] = columns.attributesAt[k]!;
    points.attributesSize[point] = isCompound ? columns.baseSize[k]! : columns.attributesSize[k]!;
    points.next[point] = -1;
    points.value[point] = -1;
    points.created[point] = -1;
    points.total[point] = -1;
    points.firstBucket[point] = -1;
    points.size[point] = 0;
    points.stale[point] = 0;
    points.time[point] = timeMs;
    if (family.last >= 0) points.next[family.last] = point;
    else family.first = point;
    family.last = point;
    if (this.pointCount * 2 > this.#mask) this.#growSlots();
    else this.#insert(point);
    return point;
  }

  #insert(point: number): void {
    const hash = this.points.hash[point]!;
    let slot = (hash ^ (hash >>> 16)) & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = point + 1;
  }
  #growSlots(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    this.#mask = this.#slots.length - 1;
    for (let point = 0; point < this.pointCount; point++) this.#insert(point);
  }
  #growBuckets(k: number): void {
    const grown = new Int32Array(Math.max(k + 1, this.nextBucket.length * 2));
    grown.set(this.nextBucket);
    this.nextBucket = grown;
  }
}

function includes(family: Family, name: string): boolean {
  if (family.kind === SUM) return normalizeName(name) === family.metadata.family;
  if (family.kind !== GAUGE) return normalizeName(name) === family.name;
  return name === family.name;
}

function kindOf(metadata: Metadata, exponential: boolean): Kind {
  switch (metadata.type) {
    case 'counter':
    case 'info':
    case 'stateset':
      return SUM;
    case 'histogram':
      return exponential ? EXPONENTIAL : HISTOGRAM;
    case 'summary':
      return SUMMARY;
    case 'gaugehistogram':
      return GAUGES_OF_FAMILY;
    default:
      return GAUGE;
  }
}

function roleOf(family: Family, name: string): number {
  const isCreated = name === `${family.metadata.family}_created`;
  switch (family.kind) {
    case HISTOGRAM:
    case SUMMARY:
      if (name.endsWith('_sum')) return TOTAL;
      if (name.endsWith('_count')) return COUNT;
      return isCreated ? CREATED : BUCKET;
    case SUM:
    case EXPONENTIAL:
      return isCreated ? CREATED : VALUE;
    default:
      return VALUE;
  }
}
