/** Options of the query and write API. The HTTP server's are the Collector's confighttp; the engine's have Prometheus's names and defaults. */
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';
import { compileAnchored } from '#src/core/regexp/pattern.ts';
import { httpServerShape } from '#src/net/config.ts';

// CORS is Prometheus's own (cors_origin); there is no pipeline that headers could be handed on to.
const { cors: _cors, include_metadata: _metadata, dialer: _dialer, ...server } = httpServerShape('localhost:9090', { write: '0s', idle: '5m' });

export const configSchema = z.strictObject({
  ...server,
  store: z.string().default('store').describe('Id of the store extension that is served.'),
  query: z
    .strictObject({
      lookback_delta: duration().prefault('5m').describe('How old a sample may be and still be the value of its series.'),
      timeout: duration().prefault('2m').describe('Longest time of a query, waiting included.'),
      max_samples: z.int().positive().default(50_000_000).describe('Most samples of a query in memory.'),
      max_concurrency: z.int().positive().default(20).describe('Queries that run at once; more wait.'),
      evaluation_interval: duration().prefault('1m').describe('Step of a subquery that names none.'),
      delayed_name_removal: z.boolean().default(false).describe('Drop metric names at the end of a query instead of in every operation.'),
    })
    .prefault({})
    .describe('The query engine.'),
  cors_origin: z
    .string()
    .default('.*')
    .check(({ value, issues }) => {
      try {
        compileAnchored(value);
      } catch (error) {
        issues.push({ code: 'custom', input: value, message: (error as Error).message });
      }
    })
    .describe('Regular expression (RE2) of origins that may call from a browser, as Prometheus has it.'),
  max_write_body_size: z
    .int()
    .positive()
    .default(64 * 1024 * 1024)
    .describe('Largest remote write request after decompression, bytes.'),
  max_read_frame_size: z
    .int()
    .positive()
    .default(1024 * 1024)
    .describe('Largest frame of a streamed remote read answer, bytes.'),
});
export type StoreApiConfig = z.output<typeof configSchema>;
