/** Serves the own metrics at http://host:port/metrics. */
import type { Server } from 'node:http';
import { metricsText, TEXT_CONTENT_TYPE, type TextOptions } from './metrics_text.ts';
import { createServer } from './node_http.ts';
import type { OwnTelemetry } from './own_telemetry.ts';

export class MetricsServer {
  readonly #server: Server;

  constructor(telemetry: OwnTelemetry, options: TextOptions) {
    this.#server = createServer((request, response) => {
      if (request.url?.split('?', 1)[0] !== '/metrics') {
        response.writeHead(404).end('404 page not found\n');
        return;
      }
      response.writeHead(200, { 'content-type': TEXT_CONTENT_TYPE }).end(metricsText(telemetry.registry, telemetry.resource, options));
    });
  }

  /** Rejects where the port is taken. Gives the port, which the system chose where 0 was asked for. */
  async start(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve());
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
