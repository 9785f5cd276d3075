/** /series, /labels, /label/<name>/values, /metadata: what there is, without samples. */
import type { HttpReply, HttpRequest } from '#src/net/http_server.ts';
import { compareLabels, isValidLabelName } from '#src/promql/labels.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import type { LabelList, Querier } from '#src/core/series.ts';
import type { StoreExtension } from '#src/store/store.ts';
import { JsonWriter } from './json_writer.ts';
import { ApiError, invalidParam, MAX_TIME_MS, MIN_TIME_MS, Params } from './params.ts';
import { endEnvelope, jsonReply, NO_NOTES, type Notes, success } from './reply.ts';
import { openQuerier, readTenants } from './tenants.ts';

const TRUNCATED: Notes = { warnings: ['results truncated due to limit'], infos: [] };

export class DataHandlers {
  readonly #store: () => StoreExtension;
  constructor(store: () => StoreExtension) {
    this.#store = store;
  }

  async #with<Result>(request: HttpRequest, minMs: number, maxMs: number, work: (querier: Querier) => Promise<Result>): Promise<Result> {
    const querier = openQuerier(this.#store(), readTenants(request), minMs, maxMs);
    try {
      return await work(querier);
    } finally {
      querier.close();
    }
  }

  readonly series = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    if (params.all('match[]').length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
    const limit = params.limit();
    const startMs = params.time('start', MIN_TIME_MS);
    const endMs = params.time('end', MAX_TIME_MS);
    const selectors = params.matchers((message) => invalidParam('match[]', message));
    const found = await this.#with(request, startMs, endMs, async (querier) => {
      const byId = new Map<number, LabelList>();
      if (startMs > endMs) return [];
      for (const matchers of selectors) {
        const set = await querier.select(matchers, startMs, endMs, selectors.length === 1);
        for (let i = 0; i < set.length && (limit === 0 || byId.size <= limit); i++) {
          const id = set.id(i);
          if (!byId.has(id)) byId.set(id, set.labels(i));
        }
      }
      return [...byId.values()];
    });
    if (selectors.length > 1) found.sort(compareLabels);
    const truncated = limit > 0 && found.length > limit;
    const json = new JsonWriter().ascii('{"status":"success","data":[');
    for (const [i, labels] of (truncated ? found.slice(0, limit) : found).entries()) {
      if (i > 0) json.ascii(',');
      json.labels(labels);
    }
    return jsonReply(request, endEnvelope(json.ascii(']'), truncated ? TRUNCATED : NO_NOTES));
  };

  readonly labels = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const limit = params.limit();
    const startMs = params.time('start', MIN_TIME_MS);
    const endMs = params.time('end', MAX_TIME_MS);
    const selectors = params.matchers((message) => new ApiError('bad_data', message));
    const names = await this.#with(request, startMs, endMs, (querier) => querier.labelNames(selectors, startMs, endMs));
    return this.#list(request, names, limit);
  };

  readonly labelValues = async (request: HttpRequest): Promise<HttpReply> => {
    const name = unescapeName(request.params.name ?? '');
    if (!isValidLabelName(name)) throw new ApiError('bad_data', `invalid label name: ${quoteGo(name)}`);
    const params = await Params.of(request);
    const limit = params.limit();
    const startMs = params.time('start', MIN_TIME_MS);
    const endMs = params.time('end', MAX_TIME_MS);
    const selectors = params.matchers((message) => new ApiError('bad_data', message));
    const values = await this.#with(request, startMs, endMs, (querier) => querier.labelValues(name, selectors, startMs, endMs));
    return this.#list(request, values, limit);
  };

  #list(request: HttpRequest, list: string[], limit: number): Promise<HttpReply> {
    return limit > 0 && list.length > limit ? jsonReply(request, success(list.slice(0, limit), TRUNCATED)) : jsonReply(request, success(list));
  }

  readonly metadata = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const limit = integer(params.get('limit'), 'limit');
    const perMetric = integer(params.get('limit_per_metric'), 'limit_per_metric');
    const metric = params.get('metric');
    const data = new Map<string, { type: string; unit: string; help: string }[]>();
    for (const id of readTenants(request)) {
      for (const [family, { type, help, unit }] of this.#store()
        .existingTenant(id)
        ?.metadataOf(metric === '' ? undefined : metric) ?? []) {
        if (limit >= 0 && data.size >= limit && !data.has(family)) break;
        const list = data.get(family) ?? [];
        if ((perMetric <= 0 || list.length < perMetric) && !list.some((one) => one.type === type && one.help === help && one.unit === unit))
          list.push({ type, unit, help });
        data.set(family, list);
      }
    }
    return jsonReply(request, success(Object.fromEntries(data)));
  };
}

/** -1 where it is absent. */
function integer(text: string, name: string): number {
  if (text === '') return -1;
  if (!/^[+-]?\d+$/.test(text)) throw new ApiError('bad_data', `${name} must be a number`);
  return Number(text);
}

/** U__gr_f6__df_e is "größe": how names beyond [a-zA-Z0-9_] travel in a path. What is not such an escape stays as it is. */
export function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name;
  let out = '';
  for (let i = 3; i < name.length; i++) {
    if (name[i] !== '_') {
      out += name[i];
      continue;
    }
    if (name[i + 1] === '_') {
      out += '_';
      i++;
      continue;
    }
    const match = /^_([0-9a-f]{1,6})_/i.exec(name.slice(i, i + 8));
    const code = match === null ? Number.NaN : Number.parseInt(match[1]!, 16);
    if (match === null || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return name;
    out += String.fromCodePoint(code);
    i += match[0].length - 1;
  }
  return out;
}
