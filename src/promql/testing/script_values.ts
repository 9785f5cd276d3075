/** The notation of series and values in test scripts: `name{a="b"} 1 2+3x4 _x2 stale {{schema:0 sum:1 count:2 buckets:[1 1]}}`. */
import type { LabelList, NativeHistogram } from '#src/core/series.ts';
import { parseSelector } from '#src/promql/syntax/parser.ts';
import { add, type Buckets, fromNative } from '#src/promql/histogram/float_histogram.ts';
import { STALE } from './memory_querier.ts';

export interface ScriptHistogram extends NativeHistogram {
  /** Expectations compare the hint only where they name one. */
  hintGiven: boolean;
}
export type ScriptValue = number | typeof STALE | ScriptHistogram | null;

/** Splits "labels values" where the labels end: behind the closing brace, or at the first space. */
export function splitSeries(line: string): [labels: string, values: string] {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'" || c === '`') quote = c;
    else if (c === '}') return [line.slice(0, i + 1), line.slice(i + 1).trim()];
    else if (/\s/.test(c) && !line.slice(0, i).includes('{') && !/^\s*\{(?!\{)/.test(line.slice(i))) return [line.slice(0, i), line.slice(i).trim()];
  }
  return [line, ''];
}

export function parseLabels(text: string): LabelList {
  const pairs = parseSelector(text === '{}' ? '{__name__=""}' : text.replace(/\{\s*\}$/, '')).filter(({ value }) => value !== '');
  return pairs.sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap(({ name, value }) => [name, value]);
}

export function parseNumber(text: string): number {
  if (/^[+]?inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf$/i.test(text)) return Number.NEGATIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  return Number(text);
}

const ITEM =
  /^(?:\{\{(?<histogram>[^}]*)\}\}(?:(?<hsign>[+-])\{\{(?<hstep>[^}]*)\}\})?(?:x(?<hcount>\d+))?|(?<gap>_|stale)(?:x(?<gapcount>\d+))?|(?<value>[+-]?(?:inf|nan|[\d.]+(?:e[+-]?\d+)?))(?:(?<sign>[+-])(?<step>[\d.]+(?:e[+-]?\d+)?|inf|nan))?(?:x(?<count>\d+))?)(?=\s|$)/i;

export function parseValues(text: string): ScriptValue[] {
  const out: ScriptValue[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const match = ITEM.exec(rest);
    if (match === null) throw new Error(`cannot read the value "${rest}"`);
    const g = match.groups!;
    if (g.gap !== undefined) for (let i = 0; i < Number(g.gapcount ?? 1); i++) out.push(/stale/i.test(g.gap) ? STALE : null);
    else if (g.histogram !== undefined) {
      const count = Number(g.hcount ?? 0);
      for (let i = 0; i <= count; i++) {
        let h = parseHistogram(g.histogram);
        if (g.hstep !== undefined) for (let n = 0; n < i; n++) h = addHistogram(h, parseHistogram(g.hstep), g.hsign === '-' ? -1 : 1);
        out.push(h);
      }
    } else {
      const step = g.step === undefined ? 0 : parseNumber(g.step) * (g.sign === '-' ? -1 : 1);
      const value = parseNumber(g.value!);
      for (let i = 0, v = value; i <= Number(g.count ?? 0); i++, v += step) out.push(v);
    }
    rest = rest.slice(match[0].length).trim();
  }
  return out;
}

const HINTS: Readonly<Record<string, number>> = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 };

function parseHistogram(text: string): ScriptHistogram {
  const field = new Map([...text.matchAll(/(\w+):(\[[^\]]*\]|\S+)/g)].map(([, key, value]) => [key!, value!]));
  const number = (key: string): number => (field.has(key) ? parseNumber(field.get(key)!) : 0);
  const list = (key: string): number[] =>
    (field.get(key) ?? '[]')
      .slice(1, -1)
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(parseNumber);
  const spans = (offset: number, buckets: number[]) => (buckets.length === 0 ? [] : [{ offset, length: buckets.length }]);
  const positiveBuckets = list('buckets');
  const negativeBuckets = list('n_buckets');
  return {
    schema: number('schema'),
    zeroThreshold: number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    count: number('count'),
    sum: number('sum'),
    counterResetHint: HINTS[field.get('counter_reset_hint') ?? 'unknown'] ?? 0,
    hintGiven: field.has('counter_reset_hint'),
    positiveSpans: spans(number('offset'), positiveBuckets),
    positiveBuckets,
    negativeSpans: spans(number('n_offset'), negativeBuckets),
    negativeBuckets,
    customValues: list('custom_values'),
    integer: false,
  };
}

/** `h` plus `step`, in the notation of storage. */
function addHistogram(h: ScriptHistogram, step: ScriptHistogram, sign: 1 | -1): ScriptHistogram {
  const sum = fromNative(h);
  add(sum, fromNative(step), sign);
  return {
    ...h,
    schema: sum.schema,
    zeroThreshold: sum.zeroThreshold,
    zeroCount: sum.zeroCount,
    count: sum.count,
    sum: sum.sum,
    ...toSpans('positive', sum.positive),
    ...toSpans('negative', sum.negative),
  };
}
function toSpans(side: 'positive' | 'negative', buckets: Buckets): Partial<ScriptHistogram> {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of buckets.index) {
    if (spans.length > 0 && index === next) spans.at(-1)!.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return { [`${side}Spans`]: spans, [`${side}Buckets`]: buckets.count };
}
