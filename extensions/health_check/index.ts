import { parseHostPort } from '#src/config/schema.ts';
import { defineExtension, type Lifecycle, type PipelineWatcher } from '#src/core/component.ts';
import { createServer } from '#src/core/node_http.ts';
import { configSchema } from './config.ts';

/** Answers 200 while every component runs and 503 before and after: for load balancers and the probes of Kubernetes. */
export default defineExtension({
  type: 'health_check',
  stability: 'beta',
  configSchema,
  create({ config, clock, telemetry }): Lifecycle & PipelineWatcher {
    const { host, port } = parseHostPort(config.endpoint)!;
    let readySinceMs: number | undefined;
    const server = createServer(
      { headersTimeout: config.read_header_timeout || 60_000, keepAliveTimeout: config.idle_timeout || 5000 },
      (request, response) => {
        if (request.url?.split('?', 1)[0] !== config.path) {
          response.writeHead(404).end('404 page not found\n');
          return;
        }
        const isReady = readySinceMs !== undefined,
          status = isReady ? 200 : 503;
        if (config.response_body !== undefined) {
          response
            .writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
            .end(isReady ? config.response_body.healthy : config.response_body.unhealthy);
          return;
        }
        const body = isReady
          ? { status: 'Server available', upSince: new Date(readySinceMs!).toISOString(), uptime: `${(clock.nowMs() - readySinceMs!) / 1000}s` }
          : { status: 'Server not available', upSince: '0001-01-01T00:00:00Z', uptime: '' };
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      },
    );
    return {
      async start() {
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen(port, host === '' ? undefined : host, resolve);
        });
        telemetry.log.info('Health check listens.', { endpoint: config.endpoint });
      },
      ready() {
        readySinceMs = clock.nowMs();
      },
      notReady() {
        readySinceMs = undefined;
      },
      async shutdown() {
        if (!server.listening) return;
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  },
});
