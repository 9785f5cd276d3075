import { z } from 'zod';
import { duration, endpoint, unsupported } from '#src/config/schema.ts';

export const configSchema = z.strictObject({
  endpoint: endpoint().default('localhost:13133').describe('Address to listen on.'),
  path: z.string().startsWith('/', 'must begin with "/"').default('/').describe('Path that answers; every other path is 404.'),
  response_body: z
    .strictObject({
      healthy: z.string().default('').describe('Body of the answer while all runs.'),
      unhealthy: z.string().default('').describe('Body of the answer while starting and stopping.'),
    })
    .optional()
    .describe('Own bodies instead of the JSON with status and uptime.'),
  read_header_timeout: duration().prefault('0s').describe('Longest time for the headers of a request; 0: 60 s.'),
  idle_timeout: duration().prefault('0s').describe('How long an unused connection is kept; 0: 5 s.'),
  check_collector_pipeline: z
    .strictObject({
      enabled: z.literal(false, { error: 'is not supported yet; exporters that fail are counted in otelcol_exporter_send_failed_*' }).default(false),
      interval: z.string().default('5m'),
      exporter_failure_threshold: z.int().default(5),
    })
    .prefault({})
    .describe('Accepted while disabled; has no effect in the Collector either.'),
  transport: z.literal('tcp', { error: 'only tcp is supported yet' }).default('tcp').describe('Kind of the socket.'),
  tls: unsupported(),
  cors: unsupported(),
  auth: unsupported(),
  use_v2: unsupported(),
  component_health: unsupported(),
  http: unsupported(),
  grpc: unsupported(),
});
