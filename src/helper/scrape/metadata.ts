/**
 * Type, help and unit of metric families as a target's expositions declare them, and which family a metric belongs to. Kept for ten scrapes after a
 * family's comments were last seen, as in Prometheus, so that a marker for a vanished series still knows its type.
 */
import type { MetricType } from '#src/helper/exposition/parser.ts';

export interface Metadata {
  family: string;
  type: MetricType;
  help: string;
  unit: string;
  lastScrape: number;
}

const KEPT_SCRAPES = 10;
const SUFFIXES = ['_bucket', '_count', '_sum', '_total', '_info', '_created'];

const own = (family: string, help: string, unit = ''): [string, Metadata] => [family, { family, type: 'gauge', help, unit, lastScrape: 0 }];
/** What is said about the metrics that each scrape makes itself. */
const REPORTED: ReadonlyMap<string, Metadata> = new Map([
  own('up', 'The scraping was successful'),
  own('scrape_duration_seconds', 'Duration of the scrape', 'seconds'),
  own('scrape_samples_scraped', 'The number of samples the target exposed'),
  own('scrape_series_added', 'The approximate number of new series in this scrape'),
  own('scrape_samples_post_metric_relabeling', 'The number of samples remaining after metric relabeling was applied'),
]);

/** The name without the suffix that a sample of a compound metric has. */
export function normalizeName(name: string): string {
  for (const suffix of SUFFIXES) if (name.endsWith(suffix) && name !== suffix) return name.slice(0, -suffix.length);
  return name;
}

export class MetadataStore {
  #families = new Map<string, Metadata>();
  #scrape = 0;
  #seen = 0;
  /** Grows with every change, so that whoever derived something from metadata knows when to look again. */
  version = 0;
  /** Something was declared, or forgotten, after it had been asked for in this scrape: the same lines would be read in another way next time. */
  changedLate = false;
  readonly #asked = new Set<string>();

  /** `sameAsBefore` scrapes passed since the last one without a look at their comments, which were the same. */
  beginScrape(sameAsBefore: number): void {
    if (sameAsBefore > 0) {
      for (const entry of this.#families.values()) if (entry.lastScrape === this.#scrape) entry.lastScrape += sameAsBefore;
      this.#scrape += sameAsBefore;
    }
    this.#scrape++;
    this.#seen = 0;
    this.changedLate = false;
    this.#asked.clear();
  }
  #change(family: string): void {
    this.version++;
    if (this.#asked.has(family)) this.changedLate = true;
  }
  #ask(family: string): Metadata | undefined {
    this.#asked.add(family);
    return this.#families.get(family);
  }

  /** Forgets what was not declared for long. False where some family was not declared now and will be forgotten later. */
  endScrape(): boolean {
    if (this.#seen === this.#families.size) return true;
    let complete = true;
    for (const [name, entry] of this.#families) {
      if (this.#scrape - entry.lastScrape > KEPT_SCRAPES) {
        this.#families.delete(name);
        this.#change(name);
      } else if (entry.lastScrape !== this.#scrape) complete = false;
    }
    return complete;
  }

  set(family: string, field: 'type' | 'help' | 'unit', text: string): void {
    let entry = this.#families.get(family);
    if (entry === undefined) {
      entry = { family, type: 'unknown', help: '', unit: '', lastScrape: -1 };
      this.#families.set(family, entry);
      this.#change(family);
    }
    if (entry[field] !== text) {
      this.#change(family);
      if (field === 'type') entry.type = text as MetricType;
      else entry[field] = text;
    }
    if (entry.lastScrape !== this.#scrape) {
      entry.lastScrape = this.#scrape;
      this.#seen++;
    }
  }

  get(family: string): Metadata | undefined {
    return this.#ask(family);
  }

  /** The metadata of a metric and the name its OTLP metric has. */
  ofMetric(name: string): { metadata: Metadata; name: string } {
    const reported = REPORTED.get(name);
    if (reported !== undefined) return { metadata: reported, name };
    const direct = this.#ask(name);
    if (direct !== undefined) return { metadata: direct, name };
    const normalized = normalizeName(name);
    const metadata = this.#ask(normalized);
    if (metadata === undefined) return { metadata: { family: name, type: 'unknown', help: '', unit: '', lastScrape: 0 }, name };
    if (metadata.type !== 'counter') return { metadata, name: normalized };
    return { metadata, name: name.endsWith('_created') ? `${normalized}_total` : name };
  }
}

const UCUM: Readonly<Record<string, string>> = {
  days: 'd',
  hours: 'h',
  minutes: 'min',
  seconds: 's',
  milliseconds: 'ms',
  microseconds: 'us',
  nanoseconds: 'ns',
  bytes: 'By',
  kibibytes: 'KiBy',
  mebibytes: 'MiBy',
  gibibytes: 'GiBy',
  tibibytes: 'TiBy',
  kilobytes: 'KBy',
  megabytes: 'MBy',
  gigabytes: 'GBy',
  terabytes: 'TBy',
  meters: 'm',
  volts: 'V',
  amperes: 'A',
  joules: 'J',
  watts: 'W',
  grams: 'g',
  celsius: 'Cel',
  hertz: 'Hz',
  ratio: '1',
  percent: '%',
};
const UCUM_PER: Readonly<Record<string, string>> = { second: 's', minute: 'm', hour: 'h', day: 'd', week: 'w', month: 'mo', year: 'y' };

/** "meters_per_second" is "m/s"; words it does not know stay. */
export function unitToUcum(unit: string): string {
  const at = unit.indexOf('_per_');
  const first = at < 0 ? unit : unit.slice(0, at);
  const per = at < 0 ? '' : unit.slice(at + 5);
  const base = Object.hasOwn(UCUM, first) ? UCUM[first]! : first;
  return per === '' ? base : `${base}/${Object.hasOwn(UCUM_PER, per) ? UCUM_PER[per]! : per}`;
}

/** The name without "_total" (of a counter) and without its unit, for trim_metric_suffixes. */
export function trimSuffixes(name: string, isSum: boolean, unit: string): string {
  let words = name.split('_');
  if (words.length === 1) return name;
  if (isSum && words.at(-1) === 'total') words = words.slice(0, -1);
  const unitWords = unit.split('_');
  if (words.length > unitWords.length && unitWords.every((word, i) => words[words.length - unitWords.length + i] === word))
    words = words.slice(0, -unitWords.length);
  return words.join('_');
}
