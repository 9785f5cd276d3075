import { readFile } from 'node:fs/promises';
import { plainValue } from '#src/config/node.ts';
import { readYaml } from '#src/config/yaml_reader.ts';
import { defineReceiver } from '#src/core/component.ts';
import { type Discovery, FileDiscovery, HttpDiscovery, StaticDiscovery } from '#src/helper/discovery/discovery.ts';
import { giveBack, ScrapeClient } from '#src/helper/scrape/http_client.ts';
import { configSchema, type ScrapeConfig } from './config.ts';
import { configuredHeaders, resolveJob, tlsOptions } from './job.ts';
import { type PoolContext, ScrapePool } from './scrape_pool.ts';

/** Scrapes Prometheus targets; the same configuration, metrics and markers as the Collector's receiver. */
export default defineReceiver({
  type: 'prometheus',
  stability: { metrics: 'beta' },
  configSchema,
  create({ id, config, next, telemetry, clock, host }) {
    const accepted = telemetry.counter('receiver_accepted_metric_points', '{datapoints}', 'Number of metric points successfully pushed into the pipeline.');
    const refused = telemetry.counter('receiver_refused_metric_points', '{datapoints}', 'Number of metric points that could not be pushed into the pipeline.');
    const attributes = { receiver: id, transport: 'http' };
    const consumer = next.metrics;
    let pools: ScrapePool[] = [];
    host.publish('scrape_targets', () => pools.flatMap((pool) => pool.describe()));
    return {
      async start() {
        if (consumer === undefined) return;
        const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
        const context: PoolContext = {
          config,
          version,
          clock,
          log: telemetry.log,
          next: consumer,
          count(taken, lost) {
            if (taken > 0) accepted.add(taken, attributes);
            if (lost > 0) refused.add(lost, attributes);
          },
        };
        pools = config.config.scrape_configs.map((job) => new ScrapePool(resolveJob(job, config.config.global), discoveriesOf(job, context), context));
        for (const pool of pools) pool.start();
      },
      async shutdown() {
        const stopping = pools;
        pools = [];
        await Promise.all(stopping.map((pool) => pool.stop()));
      },
    };
  },
});

function discoveriesOf(job: ScrapeConfig, { clock, log }: PoolContext): Discovery[] {
  const parse = (text: string, file: string): unknown => {
    if (file.toLowerCase().endsWith('.json')) return JSON.parse(text);
    const node = readYaml(text, file);
    return node === null ? null : plainValue(node);
  };
  return [
    new StaticDiscovery(job.static_configs.map((group, index) => ({ source: String(index), targets: group.targets, labels: group.labels }))),
    ...job.file_sd_configs.map((entry) => new FileDiscovery(entry.files, entry.refresh_interval, parse, clock, log)),
    ...job.http_sd_configs.map((entry) => {
      const url = new URL(entry.url);
      const secure = url.protocol === 'https:';
      const host = url.hostname.replace(/^\[|\]$/g, '');
      const get = async (): Promise<string> => {
        const client = new ScrapeClient({
          host,
          port: Number(url.port) || (secure ? 443 : 80),
          path: url.pathname + url.search,
          hostHeader: url.host,
          tls: secure ? () => tlsOptions(entry.tls_config, host) : null,
          headers: async () =>
            `User-Agent: penstock\r\nAccept: application/json\r\nX-Prometheus-Refresh-Interval-Seconds: ${entry.refresh_interval / 1000}\r\n${await configuredHeaders(entry)}`,
          bodyLimit: 0,
          followRedirects: entry.follow_redirects,
        });
        try {
          const answer = await client.get(entry.refresh_interval);
          const text = answer.bytes.utf8Slice(answer.from, answer.to);
          giveBack(answer.bytes);
          return text;
        } finally {
          client.close();
        }
      };
      return new HttpDiscovery(entry.url, entry.refresh_interval, get, clock, log);
    }),
  ];
}
