/** /query, /query_range, /format_query, /parse_query, /query_exemplars. */
import type { HttpReply, HttpRequest } from '#src/net/http_server.ts';
import type { Engine, QueryResult, RawSeries } from '#src/promql/engine.ts';
import { HISTOGRAM, type Matrix } from '#src/promql/engine/matrix.ts';
import { ParseError } from '#src/promql/errors.ts';
import { parseDuration } from '#src/promql/format/duration.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import type { Matcher } from '#src/core/series.ts';
import { astJson } from '#src/promql/syntax/ast_json.ts';
import { children, type Expr } from '#src/promql/syntax/ast.ts';
import { parseExpr } from '#src/promql/syntax/parser.ts';
import { prettyExpr } from '#src/promql/syntax/print.ts';
import type { StoreExtension } from '#src/store/store.ts';
import { formatSample } from '#src/promql/format/float.ts';
import { formatTime, JsonWriter, PointHeads } from './json_writer.ts';
import { ApiError, invalidParam, Params } from './params.ts';
import { endEnvelope, jsonReply, success } from './reply.ts';
import { openQuerier, readTenants } from './tenants.ts';

/** Points of a series in one answer. */
const MOST_POINTS = 11_000;
const NOTE_LIMIT = 10;

export class QueryHandlers {
  readonly #engine: Engine;
  readonly #store: () => StoreExtension;
  readonly #nowMs: () => number;
  constructor(engine: Engine, store: () => StoreExtension, nowMs: () => number) {
    this.#engine = engine;
    this.#store = store;
    this.#nowMs = nowMs;
  }

  readonly query = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const limit = params.limit();
    const timeMs = params.time('time', Math.floor(this.#nowMs()));
    return this.#run(request, params, limit, timeMs, timeMs, 0);
  };

  readonly queryRange = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const limit = params.limit();
    const startMs = params.requiredTime('start');
    const endMs = params.requiredTime('end');
    if (endMs < startMs) throw invalidParam('end', 'end timestamp must not be before start time');
    const stepMs = Math.floor(params.duration('step'));
    if (!(params.duration('step') > 0)) {
      throw invalidParam('step', 'zero or negative query resolution step widths are not accepted. Try a positive integer');
    }
    if (stepMs < 1) throw invalidParam('step', 'query resolution step widths below one millisecond are not supported');
    if (Math.floor((endMs - startMs) / stepMs) > MOST_POINTS) {
      throw new ApiError('bad_data', 'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)');
    }
    return this.#run(request, params, limit, startMs, endMs, stepMs);
  };

  async #run(request: HttpRequest, params: Params, limit: number, startMs: number, endMs: number, stepMs: number): Promise<HttpReply> {
    const timeoutMs = params.get('timeout') === '' ? undefined : params.duration('timeout');
    const lookbackMs = lookback(params);
    const tenants = readTenants(request);
    const query = params.get('query');
    const store = this.#store();
    const result = await this.#engine.query(
      {
        query,
        startMs,
        endMs,
        stepMs,
        signal: request.signal,
        ...(lookbackMs === undefined ? {} : { lookbackMs }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      },
      (minMs, maxMs) => openQuerier(store, tenants, minMs, maxMs),
    );
    const json = new JsonWriter(expectedBytes(result));
    const truncated = await writeResult(json, result, limit, request.signal);
    const notes = result.notes.strings(query, NOTE_LIMIT);
    if (truncated) notes.warnings.push('results truncated due to limit');
    const stats = params.get('stats');
    if (stats !== '') writeStats(json, result);
    if (stats !== '' && stats !== 'all' && stats !== 'true')
      notes.warnings.push(`value ${quoteGo(stats)} for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"`);
    json.ascii('}');
    return jsonReply(request, endEnvelope(json, notes));
  }

  readonly formatQuery = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    return jsonReply(request, success(prettyExpr(parseExpr(params.get('query')))));
  };
  readonly parseQuery = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    return jsonReply(request, success(astJson(parseExpr(params.get('query')))));
  };

  readonly exemplars = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const startMs = params.time('start', Number.MIN_SAFE_INTEGER);
    const endMs = params.time('end', Number.MAX_SAFE_INTEGER);
    if (endMs < startMs) throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
    const selectors = selectorsOf(parsed(params.get('query')));
    if (selectors.length === 0) return { status: 204 };
    const data: unknown[] = [];
    for (const id of readTenants(request)) {
      for (const { labels, exemplars } of this.#store().existingTenant(id)?.exemplars(selectors, startMs, endMs) ?? []) {
        data.push({
          seriesLabels: labelObject(labels),
          exemplars: exemplars.map((one) => ({ labels: labelObject(one.labels), value: formatSample(one.value), timestamp: one.timeMs / 1000 })),
        });
      }
    }
    return jsonReply(request, success(data));
  };
}

/** Its errors are told without the name of the parameter. */
function parsed(query: string): Expr {
  try {
    return parseExpr(query);
  } catch (error) {
    throw error instanceof ParseError ? new ApiError('bad_data', error.message) : error;
  }
}

function labelObject(labels: readonly string[]): Record<string, string> {
  const out: [string, string][] = [];
  for (let i = 0; i < labels.length; i += 2) out.push([labels[i]!, labels[i + 1]!]);
  return Object.fromEntries(out);
}

function selectorsOf(expr: Expr): Matcher[][] {
  return expr.kind === 'selector' ? [expr.matchers] : children(expr).flatMap(selectorsOf);
}

function lookback(params: Params): number | undefined {
  const text = params.get('lookback_delta');
  if (text === '') return undefined;
  const ms = /^[\d.]+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms === undefined || Number.isNaN(ms))
    throw new ApiError('bad_data', `error parsing lookback delta duration: cannot parse ${quoteGo(text)} to a valid duration`);
  return ms > 0 ? ms : undefined;
}

/** Of an answer: a point of time and value takes 20 to 40 bytes, a label set some hundred. */
const POINT_BYTES = 32;
const SERIES_BYTES = 200;
const LEAST_BYTES = 4096;
const MOST_EXPECTED_BYTES = 8 << 20;

function expectedBytes({ value }: QueryResult): number {
  const isMatrix = value.type === 'vector' || value.type === 'matrix',
    series = isMatrix ? value.matrix.count : value.type === 'series' ? value.series.length : 0,
    points = isMatrix ? series * value.matrix.steps : series;
  return Math.min(MOST_EXPECTED_BYTES, LEAST_BYTES + series * SERIES_BYTES + points * POINT_BYTES);
}

/** Between two breaths of the event loop while a large answer is written. */
const SLICE_BYTES = 4 << 20;

/** Writes {"status":"success","data":{…  without the closing brace of data. True where the limit cut series off. */
async function writeResult(json: JsonWriter, result: QueryResult, limit: number, signal: AbortSignal): Promise<boolean> {
  const { value } = result;
  const kind = value.type === 'series' ? 'matrix' : value.type;
  json.ascii(`{"status":"success","data":{"resultType":"${kind}","result":`);
  if (value.type === 'scalar') {
    json.point(value.timeMs, value.value);
    return false;
  }
  if (value.type === 'string') {
    json
      .ascii(`[${formatTime(value.timeMs)},`)
      .string(value.value)
      .ascii(']');
    return false;
  }
  json.ascii('[');
  const total = value.type === 'series' ? value.series.length : value.matrix.count;
  const count = limit > 0 ? Math.min(limit, total) : total;
  const heads = value.type === 'matrix' ? new PointHeads(value.timeline) : null;
  let breathed = 0;
  for (let i = 0; i < count; i++) {
    if (i > 0) json.ascii(',');
    if (value.type === 'series') writeRaw(json, value.series[i]!);
    else {
      json.ascii('{"metric":').labels(value.matrix.labels[i]!);
      if (value.type === 'vector') writeSample(json, value.matrix, i, value.timeline.startMs);
      else json.row(value.matrix, i, heads!, value.timeline);
      json.ascii('}');
    }
    if (json.size - breathed > SLICE_BYTES) {
      breathed = json.size;
      await new Promise((done) => setImmediate(done));
      if (signal.aborted) throw new ApiError('canceled', 'query was canceled in writing the answer');
    }
  }
  json.ascii(']');
  return count < total;
}

function writeSample(json: JsonWriter, matrix: Matrix, row: number, timeMs: number): void {
  if (matrix.present[row] === HISTOGRAM) json.ascii(',"histogram":').histogramPoint(timeMs, matrix.histogramAt(row));
  else json.ascii(',"value":').point(timeMs, matrix.values[row]!);
}

function writeRaw(json: JsonWriter, series: RawSeries): void {
  json.ascii('{"metric":').labels(series.labels);
  if (series.times.length > 0) {
    json.ascii(',"values":[');
    for (let i = 0; i < series.times.length; i++) {
      if (i > 0) json.ascii(',');
      json.point(series.times[i]!, series.values[i]!);
    }
    json.ascii(']');
  }
  if (series.histograms.length > 0) {
    json.ascii(',"histograms":[');
    series.histograms.forEach((h, i) => {
      if (i > 0) json.ascii(',');
      json.histogramPoint(series.histogramTimes[i]!, h);
    });
    json.ascii(']');
  }
  json.ascii('}');
}

function writeStats(json: JsonWriter, { stats }: QueryResult): void {
  const evaluation = stats.evaluationMs / 1000;
  const queue = stats.queueMs / 1000;
  json.ascii(',"stats":').value({
    timings: {
      evalTotalTime: evaluation,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evaluation,
      execQueueTime: queue,
      execTotalTime: evaluation + queue,
    },
    samples: { samplesRead: stats.samplesRead, totalQueryableSamples: stats.totalSamples, peakSamples: stats.peakSamples },
  });
}
