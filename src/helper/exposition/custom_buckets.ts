/**
 * Classic histograms as native ones with custom bounds (convert_classic_histograms_to_nhcb): an exposition is read and written again in the transcoded
 * form, where the lines of one histogram have become a single series. Everything else passes as it is. Plain code: whoever asks for this pays for it.
 */
import type { NativeHistogram } from '#src/helper/scrape/native_histogram.ts';
import { parseGoFloat } from './number.ts';
import { END, ExpositionParser, type Format, HELP, type ParsedExemplar, SERIES, TYPE } from './parser.ts';
import { seriesLine, type Transcoded } from './protobuf.ts';

interface Collected {
  readonly name: string;
  readonly labels: [string, string][];
  readonly timeMs: number;
  count: number;
  sum: number;
  buckets: Map<number, number>;
  exemplars: ParsedExemplar[];
}

const NOTHING = new DataView(new ArrayBuffer(0));
const parser = new ExpositionParser();

/** `histograms` are those that the transcoded input refers to. `keepClassic`: the classic lines stay as well. */
export function toCustomBuckets(
  bytes: Buffer,
  from: number,
  to: number,
  format: Format,
  histograms: readonly NativeHistogram[],
  keepClassic: boolean,
): Transcoded {
  const lines: string[] = [];
  const all = [...histograms];
  let open = new Map<string, Collected>();
  let family = '';
  const flush = (): void => {
    for (const histogram of open.values()) {
      lines.push(seriesLine(histogram.name, histogram.labels, `H${all.length}`, Number.isNaN(histogram.timeMs) ? null : histogram.timeMs, null));
      all.push(customHistogram(histogram));
    }
    open = new Map();
  };
  parser.reset(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), from, to, format);
  for (;;) {
    const entry = parser.next(NOTHING, 0, 0);
    if (entry !== SERIES) {
      flush();
      if (entry === END) break;
      family = parser.family;
      lines.push(
        `# ${entry === TYPE ? 'TYPE' : entry === HELP ? 'HELP' : 'UNIT'} "${escaped(parser.family)}" ${entry === HELP ? escaped(parser.text) : parser.text}\n`,
      );
      continue;
    }
    const { name, labels } = parser.seriesLabels();
    const pairs: [string, string][] = [];
    for (let i = 0; i < labels.length; i += 2) pairs.push([labels[i]!, labels[i + 1]!]);
    const isPart = parser.type === 'histogram' && parser.histogramIndex < 0 && collect(open, family, name, pairs);
    if (isPart && !keepClassic) continue;
    const value = parser.histogramIndex >= 0 ? `H${parser.histogramIndex}` : numberText(parser.value);
    lines.push(seriesLine(name, pairs, value, Number.isNaN(parser.timeMs) ? null : parser.timeMs, parser.exemplar));
  }
  lines.push('# EOF\n');
  return { text: Buffer.from(lines.join('')), histograms: all };
}

/** Whether the series is a part of a classic histogram of the family; its value is noted then. */
function collect(open: Map<string, Collected>, family: string, name: string, labels: readonly [string, string][]): boolean {
  const suffix = name.startsWith(family) ? name.slice(family.length) : '';
  if (suffix !== '_bucket' && suffix !== '_sum' && suffix !== '_count') return false;
  const bound = parseGoFloat(labels.find(([label]) => label === 'le')?.[1] ?? '');
  if (suffix === '_bucket' && bound === undefined) return false;
  const rest = labels.filter(([label]) => label !== 'le').sort(([a], [b]) => (a < b ? -1 : 1));
  const key = JSON.stringify(rest);
  let histogram = open.get(key);
  if (histogram === undefined) {
    histogram = { name: family, labels: rest, timeMs: parser.timeMs, count: Number.NaN, sum: 0, buckets: new Map(), exemplars: [] };
    open.set(key, histogram);
  }
  if (suffix === '_sum') histogram.sum = parser.value;
  else if (suffix === '_count') histogram.count = parser.value;
  else histogram.buckets.set(bound!, parser.value);
  if (parser.exemplar !== null && !Number.isNaN(parser.exemplar.timeMs)) histogram.exemplars.push(parser.exemplar);
  return true;
}

function customHistogram({ count, sum, buckets, exemplars }: Collected): NativeHistogram {
  const bounds = [...buckets.keys()].filter((bound) => bound !== Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const total = Number.isNaN(count) ? (buckets.get(Number.POSITIVE_INFINITY) ?? 0) : count;
  const counts: number[] = [];
  const spans: [number, number][] = [];
  let before = 0;
  let end = 0;
  [...bounds.map((bound) => buckets.get(bound)!), total].forEach((cumulative, index) => {
    const own = cumulative - before;
    before = cumulative;
    if (own === 0) return;
    const last = spans.at(-1);
    if (last !== undefined && end === index) last[1]++;
    else spans.push([index - end, 1]);
    end = index + 1;
    counts.push(own);
  });
  return {
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count: total,
    sum,
    positive: { spans, counts },
    negative: { spans: [], counts: [] },
    customBounds: bounds,
    exemplars,
  };
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (code) => (code === '\n' ? '\\n' : `\\${code}`));
}
function numberText(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : Object.is(value, -0) ? '-0' : String(value);
}
