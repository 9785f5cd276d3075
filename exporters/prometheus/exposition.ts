/**
 * The held series as text: Prometheus 0.0.4 and OpenMetrics 1.0 (https://prometheus.io/docs/instrumenting/exposition_formats/). Families by name,
 * series by the values of their labels. The protobuf format, and with it the buckets of exponential histograms, is deliberately not here: they show as
 * count and sum.
 */
import { shortFloat } from '#src/core/go_float.ts';
import { compareNames } from '#src/helper/prometheus/labels.ts';
import type { PromExemplar } from '#src/helper/prometheus/translate.ts';
import type { FamilyType, HeldFamily, HeldSeries } from './held_series.ts';
import type { Held, HeldHistogram } from './held_value.ts';

export interface ExpositionFormat {
  readonly openMetrics: boolean;
  /** Names that are not of letters, digits and underscores are quoted; else they are escaped. */
  readonly utf8: boolean;
  readonly timestamps: boolean;
}
/** A series that comes from no point: target_info. */
export interface FixedFamily {
  readonly name: string;
  readonly help: string;
  readonly series: readonly (readonly string[])[];
}

const PLAIN_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function contentType({ openMetrics, utf8 }: ExpositionFormat): string {
  return `${openMetrics ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4'}; charset=utf-8; escaping=${utf8 ? 'allow-utf-8' : 'underscores'}`;
}

/** What the Accept header of a request asks for. */
export function negotiate(accept: string, allowOpenMetrics: boolean): { openMetrics: boolean; utf8: boolean } {
  const clauses = accept.split(',').map((clause) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const parameter = (name: string): string => parameters.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
    return { type: type.toLowerCase(), quality: Number(parameter('q') || 1), escaping: parameter('escaping') };
  });
  let utf8 = false;
  for (const { type, quality, escaping } of clauses.toSorted((a, b) => b.quality - a.quality)) {
    if (quality === 0) continue;
    if (escaping !== '') utf8 = escaping === 'allow-utf-8';
    if (type === 'application/openmetrics-text' && allowOpenMetrics) return { openMetrics: true, utf8 };
    if (type === 'text/plain' || type === 'text/*' || type === '*/*') break;
  }
  return { openMetrics: false, utf8 };
}

export function formatExposition(families: Iterable<HeldFamily>, fixed: FixedFamily | null, format: ExpositionFormat): string {
  const text = new ExpositionText(format);
  const all = [...families].filter((family) => family.name !== fixed?.name);
  for (const family of [...all, ...(fixed === null ? [] : [fixed])].sort((a, b) => compareNames(a.name, b.name))) {
    if ('type' in family) text.family(family);
    else text.fixed(family);
  }
  return text.end();
}

class ExpositionText {
  readonly #format: ExpositionFormat;
  readonly #lines: string[] = [];

  constructor(format: ExpositionFormat) {
    this.#format = format;
  }
  end(): string {
    if (this.#format.openMetrics) this.#lines.push('# EOF');
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`;
  }

  family(family: HeldFamily): void {
    family.sorted ??= [...family.series.values()].sort((a, b) => compareSeries(a.labels, b.labels));
    let headed = false;
    for (const series of family.sorted) {
      if (series.held === null) continue;
      if (!headed) this.#head(family.name, family.type, family.help);
      headed = true;
      this.#series(series, series.held);
    }
  }
  fixed({ name, help, series }: FixedFamily): void {
    this.#head(name, 'gauge', help);
    for (const labels of series.toSorted(compareSeries)) this.#sample(name, '', labels, '', this.#float(1), '');
  }

  #head(name: string, type: FamilyType, help: string): void {
    const { openMetrics } = this.#format,
      counted = type === 'counter' && name.endsWith('_total');
    const shown = this.#headName(openMetrics && counted ? name.slice(0, -'_total'.length) : name);
    this.#lines.push(`# HELP ${shown} ${openMetrics ? escapeValue(help) : help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`);
    this.#lines.push(`# TYPE ${shown} ${openMetrics && type === 'counter' && !counted ? 'unknown' : type}`);
  }

  #series({ family: { name }, labels }: HeldSeries, held: Held): void {
    const { value, exemplars } = held,
      time = this.#time(held.timeNano);
    switch (value.kind) {
      case 'number':
        this.#sample(name, '', labels, '', this.#float(value.value), time, exemplars.at(-1));
        break;
      case 'histogram':
        this.#histogram(name, labels, value, time, exemplars);
        break;
      case 'native':
        this.#sample(name, '_bucket', labels, 'le="+Inf"', this.#count(value.count), time);
        this.#sample(name, '_sum', labels, '', this.#float(value.sum), time);
        this.#sample(name, '_count', labels, '', this.#count(value.count), time);
        break;
      case 'summary':
        for (const [quantile, at] of value.quantiles) this.#sample(name, '', labels, `quantile="${this.#float(quantile)}"`, this.#float(at), time);
        this.#sample(name, '_sum', labels, '', this.#float(value.sum), time);
        this.#sample(name, '_count', labels, '', this.#count(value.count), time);
        break;
    }
  }

  #histogram(name: string, labels: readonly string[], { bounds, counts, count, sum }: HeldHistogram, time: string, exemplars: readonly PromExemplar[]): void {
    // A bound that comes twice counts once; they come in any order.
    const order = bounds
      .map((_, i) => i)
      .filter((i) => bounds.indexOf(bounds[i]!) === i)
      .sort((a, b) => bounds[a]! - bounds[b]!);
    let below = 0,
      previous = -Infinity,
      hasInf = false;
    const bucket = (bound: number, upTo: number): void => {
      const own = exemplars.findLast((exemplar) => exemplar.value <= bound && (exemplar.value > previous || previous === -Infinity));
      this.#sample(name, '_bucket', labels, `le="${this.#float(bound)}"`, this.#count(upTo), time, own);
      previous = bound;
      hasInf ||= bound === Infinity;
    };
    for (const i of order) {
      below += counts[i] ?? 0;
      bucket(bounds[i]!, below);
    }
    if (!hasInf) bucket(Infinity, count);
    this.#sample(name, '_sum', labels, '', this.#float(sum), time);
    this.#sample(name, '_count', labels, '', this.#count(count), time);
  }

  #sample(name: string, suffix: string, labels: readonly string[], extra: string, value: string, time: string, exemplar?: PromExemplar): void {
    const { openMetrics, utf8 } = this.#format,
      full = name + suffix,
      quoted = utf8 && !PLAIN_METRIC.test(full),
      pairs: string[] = quoted ? [`"${escapeValue(full)}"`] : [];
    for (let i = 0; i < labels.length; i += 2) pairs.push(`${this.#labelName(labels[i]!)}="${escapeValue(labels[i + 1]!)}"`);
    if (extra !== '') pairs.push(extra);
    const mark = openMetrics && exemplar ? this.#exemplar(exemplar) : '';
    this.#lines.push(`${quoted ? '' : this.#plain(full, PLAIN_METRIC)}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}${time}${mark}`);
  }

  /** One that names no trace is not shown. */
  #exemplar({ labels, value, timeMs }: PromExemplar): string {
    const ids: string[] = [];
    for (let i = 0; i < labels.length; i += 2)
      if (labels[i] === 'trace_id' || labels[i] === 'span_id') ids.push(`${labels[i]}="${escapeValue(labels[i + 1]!)}"`);
    return ids.length === 0 ? '' : ` # {${ids.join(',')}} ${this.#float(value)} ${this.#float(timeMs / 1000)}`;
  }

  #headName(name: string): string {
    return this.#format.utf8 && !PLAIN_METRIC.test(name) ? `"${escapeValue(name)}"` : this.#plain(name, PLAIN_METRIC);
  }
  #labelName(name: string): string {
    return this.#format.utf8 && !PLAIN_LABEL.test(name) ? `"${escapeValue(name)}"` : this.#plain(name, PLAIN_LABEL);
  }
  #plain(name: string, pattern: RegExp): string {
    return pattern.test(name) ? name : name.replace(/[^a-zA-Z0-9_:]/gu, '_').replace(/^\d/, '_');
  }
  #time(nano: bigint): string {
    if (!this.#format.timestamps) return '';
    const ms = Number(nano / 1_000_000n);
    return ` ${this.#format.openMetrics ? this.#float(ms / 1000) : ms}`;
  }
  #float(value: number): string {
    const text = shortFloat(value);
    return this.#format.openMetrics && Number.isFinite(value) && !/[.e]/.test(text) ? `${text}.0` : text;
  }
  #count(value: number): string {
    return this.#format.openMetrics ? String(value) : shortFloat(value);
  }
}

const escapeValue = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

/** Fewer labels first, then by the values in the order of the names. */
function compareSeries(a: readonly string[], b: readonly string[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 1; i < a.length; i += 2) if (a[i] !== b[i]) return compareNames(a[i]!, b[i]!);
  return 0;
}
