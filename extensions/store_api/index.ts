import { defineExtension, type Lifecycle } from '#src/core/component.ts';
import { ConfigError } from '#src/core/errors.ts';
import { compileAnchored } from '#src/core/regexp/pattern.ts';
import { HttpError, type HttpHandler, type HttpReply, type HttpRequest, HttpServer, Router } from '#src/net/http_server.ts';
import { Engine } from '#src/promql/engine.ts';
import { isStore, type StoreExtension } from '#src/store/store.ts';
import { uiAsset } from '#src/ui/assets.ts';
import { configSchema } from './config.ts';
import { DataHandlers } from './data.ts';
import { QueryHandlers } from './query.ts';
import { RemoteReadHandler } from './remote_read.ts';
import { RemoteWriteHandler } from './remote_write.ts';
import { corsHeaders, errorReply, toApiError } from './reply.ts';
import { StatusHandlers } from './status.ts';

/** Where Prometheus and Cortex have the API. */
const PREFIXES = ['/api/v1', '/prometheus/api/v1', '/api/prom/api/v1'];

/** Serves a store as Prometheus and Cortex would: the query API, remote write and read, status, and the page. */
export default defineExtension({
  type: 'store_api',
  stability: 'development',
  configSchema,
  create({ config, host, telemetry, clock }): Lifecycle {
    let store: StoreExtension | null = null;
    const current = (): StoreExtension => {
      if (store === null) throw new Error('the store is not open');
      return store;
    };
    const { query } = config;
    const engine = new Engine({
      lookbackMs: query.lookback_delta,
      timeoutMs: query.timeout,
      maxSamples: query.max_samples,
      maxConcurrent: query.max_concurrency,
      defaultSubqueryStepMs: query.evaluation_interval,
      delayedNameRemoval: query.delayed_name_removal,
    });
    const allowedOrigin = compileAnchored(config.cors_origin);
    const queries = new QueryHandlers(engine, current, () => clock.nowMs());
    const data = new DataHandlers(current);
    const status = new StatusHandlers(host, current, config);
    const writer = new RemoteWriteHandler(current, () => clock.nowMs(), config.max_write_body_size);
    const reader = new RemoteReadHandler(current, config.max_read_frame_size);
    const router = buildRouter(queries, data, status, writer, reader);

    const handler = async (request: HttpRequest): Promise<HttpReply> => {
      const cors = corsHeaders(request, allowedOrigin);
      if (request.method === 'OPTIONS') return { status: 204, headers: cors };
      let reply: HttpReply;
      try {
        if (request.method === 'HEAD' && request.path.includes('/api/')) throw new HttpError(405, 'Method Not Allowed', { headers: { Allow: 'GET, OPTIONS' } });
        reply = await router.handle(request);
      } catch (error) {
        const known = toApiError(error);
        if (known === undefined) throw error;
        reply = errorReply(known);
      }
      return request.headers.origin === undefined ? reply : { ...reply, headers: { ...reply.headers, ...cors } };
    };
    const server = new HttpServer({ settings: config, handler, log: telemetry.log, host, challenges: true });
    return {
      async start() {
        const found = host.extension(config.store);
        if (!isStore(found)) throw new ConfigError([{ path: ['store'], message: `"${config.store}" is not a store extension under service::extensions` }]);
        store = found;
        await server.listen();
      },
      async shutdown() {
        await server.close();
      },
    };
  },
});

function buildRouter(queries: QueryHandlers, data: DataHandlers, status: StatusHandlers, writer: RemoteWriteHandler, reader: RemoteReadHandler): Router {
  const router = new Router();
  const routes: [methods: string, path: string, handler: HttpHandler][] = [
    ['GET,POST', '/query', queries.query],
    ['GET,POST', '/query_range', queries.queryRange],
    ['GET,POST', '/query_exemplars', queries.exemplars],
    ['GET,POST', '/format_query', queries.formatQuery],
    ['GET,POST', '/parse_query', queries.parseQuery],
    ['GET,POST', '/series', data.series],
    ['GET,POST', '/labels', data.labels],
    ['GET', '/label/:name/values', data.labelValues],
    ['GET', '/metadata', data.metadata],
    ['GET', '/status/buildinfo', status.buildInfo],
    ['GET', '/status/runtimeinfo', status.runtimeInfo],
    ['GET', '/status/config', status.config],
    ['GET', '/status/flags', status.flags],
    ['GET', '/status/tsdb', status.tsdb],
    ['GET', '/status/walreplay', status.walReplay],
    ['GET', '/targets', status.targets],
    ['GET', '/targets/metadata', status.targetsMetadata],
    ['GET', '/scrape_pools', status.scrapePools],
    ['GET', '/rules', status.rules],
    ['GET', '/alerts', status.alerts],
    ['GET', '/alertmanagers', status.alertmanagers],
    ['POST', '/read', reader.read],
    ['GET', '/penstock/pipelines', status.pipelines],
  ];
  for (const prefix of PREFIXES) for (const [methods, path, handler] of routes) router.on(methods, prefix + path, handler);
  for (const path of ['/api/v1/write', '/api/v1/push', '/api/prom/push', '/prometheus/api/v1/write']) router.on('POST', path, writer.write);
  const text = (body: string) => (): HttpReply => ({ status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body });
  router.on('GET', '/-/healthy', text('Penstock is Healthy.\n'));
  router.on('GET', '/-/ready', text('Penstock is Ready.\n'));
  router.on('GET', '/', asset);
  router.on('GET', '/ui/:file', asset);
  return router;
}

/** A file of the page. The browser asks each time and is told when it has the newest. */
function asset(request: HttpRequest): HttpReply {
  const file = uiAsset(request.path);
  if (file === undefined) throw new HttpError(404, '404 page not found');
  const headers = { ETag: file.etag, 'Cache-Control': 'no-cache' };
  if (request.headers['if-none-match'] === file.etag) return { status: 304, headers };
  const security = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin' };
  return { status: 200, headers: { ...headers, ...security, 'Content-Type': file.contentType }, body: file.body };
}
