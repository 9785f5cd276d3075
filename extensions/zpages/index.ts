/** Pages about the running program under /debug: service, pipelines, extensions, feature gates. Without tracez: there are no spans of its own. */
import { defineExtension, type Lifecycle } from '#src/core/component.ts';
import { type HttpHandler, HttpServer, Router } from '#src/net/http_server.ts';
import { configSchema } from './config.ts';
import { extensionPage, featurePage, pipelinePage, servicePage } from './pages.ts';

export default defineExtension({
  type: 'zpages',
  stability: 'beta',
  configSchema,
  create({ config, clock, telemetry, host }): Lifecycle {
    const startedMs = clock.nowMs();
    const shows =
      (page: () => string): HttpHandler =>
      async () => ({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: Buffer.from(page()) });
    const router = new Router()
      .on(
        'GET',
        '/debug/servicez',
        shows(() => servicePage(host, startedMs, clock.nowMs())),
      )
      .on(
        'GET',
        '/debug/pipelinez',
        shows(() => pipelinePage(host)),
      )
      .on(
        'GET',
        '/debug/extensionz',
        shows(() => extensionPage(host)),
      )
      .on('GET', '/debug/featurez', shows(featurePage));
    const server = new HttpServer({ settings: config, handler: router.handle, log: telemetry.log, host });
    return {
      start: () => server.listen(),
      shutdown: () => server.close(),
    };
  },
});
