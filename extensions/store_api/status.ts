/** /status/*, targets, rules and alerts: what Grafana and promtool ask of a Prometheus. No rules are evaluated here, and the lists say so. */
import os from 'node:os';
import type { Host } from '#src/core/component.ts';
import type { Querier } from '#src/core/series.ts';
import type { HttpReply, HttpRequest } from '#src/net/http_server.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { formatDuration } from '#src/promql/format/duration.ts';
import type { StoreExtension } from '#src/store/store.ts';
import type { StoreApiConfig } from './config.ts';
import { ApiError, invalidParam, Params } from './params.ts';
import { jsonReply, success } from './reply.ts';
import { openQuerier, readTenants } from './tenants.ts';

/** Of the Prometheus whose API this is; clients choose features by it. */
const API_VERSION = '3.15.0';
const TOP = 10;

/** What receivers/prometheus publishes of each target; one that relabelling dropped has health "dropped" and its discovered labels only. */
interface PublishedTarget {
  readonly job: string;
  readonly health: string;
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly lastScrape?: number;
  readonly lastError?: string;
  readonly duration?: number;
  readonly interval?: number;
  readonly timeout?: number;
}

export class StatusHandlers {
  readonly #host: Host;
  readonly #store: () => StoreExtension;
  readonly #config: StoreApiConfig;
  readonly #started = new Date();
  constructor(host: Host, store: () => StoreExtension, config: StoreApiConfig) {
    this.#host = host;
    this.#store = store;
    this.#config = config;
  }

  readonly buildInfo = (request: HttpRequest): Promise<HttpReply> =>
    jsonReply(
      request,
      success({ version: API_VERSION, revision: 'penstock', branch: 'main', buildUser: '', buildDate: '', goVersion: `node ${process.versions.node}` }),
    );

  readonly runtimeInfo = (request: HttpRequest): Promise<HttpReply> => {
    const series = this.#store()
      .storeStatus()
      .tenants.reduce((sum, tenant) => sum + tenant.series, 0);
    return jsonReply(
      request,
      success({
        startTime: this.#started.toISOString(),
        CWD: process.cwd(),
        hostname: os.hostname(),
        serverTime: new Date().toISOString(),
        reloadConfigSuccess: true,
        lastConfigTime: this.#started.toISOString(),
        corruptionCount: 0,
        goroutineCount: 1,
        GOMAXPROCS: os.availableParallelism(),
        GOMEMLIMIT: 0,
        GOGC: '',
        GODEBUG: '',
        storageRetention: '',
        timeSeriesCount: series,
      }),
    );
  };

  readonly config = (request: HttpRequest): Promise<HttpReply> => jsonReply(request, success({ yaml: '' }));

  readonly flags = (request: HttpRequest): Promise<HttpReply> => {
    const { query } = this.#config;
    return jsonReply(
      request,
      success({
        'query.lookback-delta': formatDuration(query.lookback_delta),
        'query.timeout': formatDuration(query.timeout),
        'query.max-samples': String(query.max_samples),
        'query.max-concurrency': String(query.max_concurrency),
        'web.listen-address': this.#config.endpoint,
        'web.cors.origin': this.#config.cors_origin,
        'storage.tsdb.path': this.#store().storeStatus().directory,
      }),
    );
  };

  readonly walReplay = (request: HttpRequest): Promise<HttpReply> => jsonReply(request, success({ min: 0, max: 0, current: 0, state: 'done' }));

  readonly tsdb = async (request: HttpRequest): Promise<HttpReply> => {
    const asked = (await Params.of(request)).get('limit');
    const limit = asked === '' ? TOP : Number(asked);
    if (asked !== '' && (!/^\+?\d+$/.test(asked) || limit < 1)) throw new ApiError('bad_data', 'limit must be a positive number');
    const ids = readTenants(request);
    const tenants = this.#store()
      .storeStatus()
      .tenants.filter(({ tenant }) => ids.includes(tenant));
    const querier = openQuerier(this.#store(), ids, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const valuesOf: { name: string; value: number }[] = [];
    let metricCounts: { name: string; value: number }[] = [];
    try {
      for (const name of await querier.labelNames([], Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)) {
        const values = await querier.labelValues(name, [], Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
        valuesOf.push({ name, value: values.length });
      }
      metricCounts = await seriesByMetric(querier);
    } finally {
      querier.close();
    }
    const top = (list: { name: string; value: number }[]): typeof list => list.sort((a, b) => b.value - a.value).slice(0, limit);
    const times = tenants.flatMap(({ minTimeMs, maxTimeMs }) => [minTimeMs, maxTimeMs]).filter((time) => time !== null);
    const sum = (pick: (tenant: (typeof tenants)[number]) => number): number => tenants.reduce((total, tenant) => total + pick(tenant), 0);
    return jsonReply(
      request,
      success({
        headStats: {
          numSeries: sum(({ series }) => series),
          numLabelPairs: sum(({ labelPairs }) => labelPairs),
          chunkCount: sum(({ chunks }) => chunks),
          minTime: Math.min(...times, Number.MAX_SAFE_INTEGER),
          maxTime: Math.max(...times, Number.MIN_SAFE_INTEGER),
        },
        seriesCountByMetricName: top(metricCounts),
        labelValueCountByLabelName: top(valuesOf),
        memoryInBytesByLabelName: [],
        seriesCountByLabelValuePair: [],
      }),
    );
  };

  readonly targets = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const state = params.get('state').toLowerCase();
    const pool = params.get('scrapePool');
    const all = (this.#host.published('scrape_targets').flat() as PublishedTarget[]).filter((target) => pool === '' || target.job === pool);
    const dropped = all.filter((target) => target.health === 'dropped'),
      active = all.filter((target) => target.health !== 'dropped'),
      wanted = (name: string) => state === '' || state === 'any' || state === name;
    const droppedTargetCounts: Record<string, number> = {};
    for (const { job } of dropped) droppedTargetCounts[job] = (droppedTargetCounts[job] ?? 0) + 1;
    return jsonReply(
      request,
      success({
        activeTargets: wanted('active') ? active.map(activeTarget) : [],
        droppedTargets: wanted('dropped') ? dropped.map(({ job, discoveredLabels }) => ({ discoveredLabels, scrapePool: job })) : [],
        droppedTargetCounts: wanted('dropped') ? droppedTargetCounts : null,
      }),
    );
  };
  readonly targetsMetadata = async (request: HttpRequest): Promise<HttpReply> => {
    if (!/^(?:[+-]?\d+)?$/.test((await Params.of(request)).get('limit'))) throw new ApiError('bad_data', 'limit must be a number');
    return jsonReply(request, success([]));
  };
  readonly scrapePools = (request: HttpRequest): Promise<HttpReply> => {
    const targets = this.#host.published('scrape_targets').flat() as PublishedTarget[];
    return jsonReply(request, success({ scrapePools: [...new Set(targets.map(({ job }) => job))].sort() }));
  };

  readonly rules = async (request: HttpRequest): Promise<HttpReply> => {
    const params = await Params.of(request);
    const type = params.get('type').toLowerCase();
    if (type !== '' && type !== 'alert' && type !== 'record') throw invalidParam('type', `not supported value "${type}"`);
    const excludes = params.get('exclude_alerts');
    if (!/^(?:[1tT]|[0fF]|true|TRUE|True|false|FALSE|False)?$/.test(excludes))
      throw invalidParam('exclude_alerts', `error converting exclude_alerts: strconv.ParseBool: parsing ${quoteGo(excludes)}: invalid syntax`);
    params.matchers((message) => new ApiError('bad_data', message));
    const limit = params.get('group_limit'),
      token = params.get('group_next_token');
    if (limit !== '' && !/^[+-]?\d+$/.test(limit))
      throw invalidParam('group_limit', `group_limit needs to be a valid number: strconv.ParseInt: parsing ${quoteGo(limit)}: invalid syntax`);
    if (limit !== '' && Number(limit) <= 0) throw invalidParam('group_limit', 'group_limit needs to be greater than 0');
    if (token !== '' && limit === '') throw invalidParam('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
    if (token !== '') throw invalidParam('group_next_token', `invalid group_next_token '${token}'. were rule groups changed?`);
    return jsonReply(request, success({ groups: [] }));
  };
  readonly alerts = (request: HttpRequest): Promise<HttpReply> => jsonReply(request, success({ alerts: [] }));
  readonly alertmanagers = (request: HttpRequest): Promise<HttpReply> => jsonReply(request, success({ activeAlertmanagers: [], droppedAlertmanagers: [] }));

  /** For the page: the pipelines, and how many items each component has passed so far, by pipeline and component. */
  readonly pipelines = (request: HttpRequest): Promise<HttpReply> => {
    const totals: Record<string, Record<string, number>> = {};
    for (const flow of this.#host.published('pipelines').flat() as PublishedPipeline[]) {
      const own: Record<string, number> = (totals[flow.id] = {});
      for (const kind of ['receiver', 'processor', 'exporter'] as const) for (const { id, items } of flow[`${kind}s`]) own[`${kind}:${id}`] = items;
    }
    return jsonReply(request, success({ pipelines: this.#host.pipelines(), totals }));
  };
}

/** As /api/v1/targets of Prometheus shows it. */
function activeTarget({
  job,
  url = '',
  labels = {},
  discoveredLabels,
  health,
  lastScrape = 0,
  lastError = '',
  duration = 0,
  interval = 0,
  timeout = 0,
}: PublishedTarget) {
  return {
    discoveredLabels,
    labels,
    scrapePool: job,
    scrapeUrl: url,
    globalUrl: url,
    lastError,
    lastScrape: lastScrape > 0 ? new Date(lastScrape).toISOString() : '0001-01-01T00:00:00Z',
    lastScrapeDuration: duration,
    health,
    scrapeInterval: `${interval}s`,
    scrapeTimeout: `${timeout}s`,
  };
}

/** What src/pipeline publishes of each pipeline: items since the start by component. */
type PublishedPipeline = { readonly id: string } & Readonly<
  Record<'receivers' | 'processors' | 'exporters', readonly { readonly id: string; readonly items: number }[]>
>;

async function seriesByMetric(querier: Querier): Promise<{ name: string; value: number }[]> {
  const set = await querier.select([{ name: '__name__', op: '!=', value: '' }], Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const counts = new Map<string, number>();
  for (let i = 0; i < set.length; i++) {
    const labels = set.labels(i);
    const at = labels.indexOf('__name__');
    if (at >= 0) counts.set(labels[at + 1]!, (counts.get(labels[at + 1]!) ?? 0) + 1);
  }
  return [...counts].map(([name, value]) => ({ name, value }));
}
