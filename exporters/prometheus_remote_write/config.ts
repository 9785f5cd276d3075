/** Keys and defaults of the Collector's prometheusremotewriteexporter. The write-ahead log is deliberately not here: a queue on disk is `file_storage`'s matter. */
import { z } from 'zod';
import { gateEnabled } from '#src/core/feature_gates.ts';
import { retrySettings } from '#src/helper/exporter/config.ts';
import { resourceToTelemetryConversion, translationStrategy } from '#src/helper/prometheus/config.ts';
import { httpClientShape, unsupported } from '#src/net/config.ts';

export const MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const;
const V2_GATE = 'exporter.prometheusremotewritexporter.enableSendingRW2';
/** About 2.9 MiB: what most receivers take, whose limit is a few MiB. */
const DEFAULT_BATCH_BYTES = 3_000_000;

export const configSchema = z
  .strictObject({
    ...httpClientShape({ timeout: '5s' }),
    endpoint: z
      .string()
      .default('http://some.url:9411/api/prom/push')
      .refine((value) => URL.canParse(value), { message: 'invalid endpoint: write a URL, for example "http://localhost:9090/api/v1/write"' })
      .describe('URL to write to.'),
    compression: z
      .string()
      .default('')
      .refine((value) => value === '' || value === 'snappy', { message: 'compression type must be snappy' })
      .transform((): '' => '')
      .describe('snappy, which remote write always uses.'),
    namespace: z.string().default('').describe('Put before every metric name.'),
    external_labels: z.record(z.string(), z.string()).default({}).describe('Labels added to every series that has none of the name.'),
    remote_write_queue: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Whether batches wait in a queue; without one the sender waits for the backend.'),
        queue_size: z.int().min(0, { message: "remote write queue size can't be negative" }).default(10_000).describe('Batches that may wait.'),
        num_consumers: z
          .int()
          .min(0, { message: "remote write consumer number can't be negative" })
          .default(5)
          .describe('Requests of one batch under way at once, unless `max_batch_request_parallelism` says so.'),
      })
      .refine((queue) => !queue.enabled || queue.queue_size !== 0, { message: 'a 0 size queue will drop all the data' })
      .prefault({})
      .describe('The queue in front of the backend.'),
    retry_on_failure: retrySettings('50ms'),
    max_batch_size_bytes: z
      .int()
      .min(0, { message: 'max_batch_byte_size must be greater than 0' })
      .default(DEFAULT_BATCH_BYTES)
      .transform((value) => value || DEFAULT_BATCH_BYTES)
      .describe('Largest request before compression.'),
    max_batch_request_parallelism: z
      .int()
      .min(1, { message: "max_batch_request_parallelism can't be set to below 1" })
      .optional()
      .describe('Requests of one batch under way at once.'),
    resource_to_telemetry_conversion: resourceToTelemetryConversion(),
    target_info: z
      .strictObject({ enabled: z.boolean().default(true).describe('Whether the other attributes of a resource become the series target_info.') })
      .prefault({})
      .describe('The series target_info.'),
    disable_scope_info: z.boolean().default(false).describe('Leaves out otel_scope_name, otel_scope_version and the attributes of the scope.'),
    add_metric_suffixes: z.boolean().default(true).describe('Units and `_total` at the end of names; older than `translation_strategy`, which wins.'),
    translation_strategy: translationStrategy('where empty as `add_metric_suffixes` says'),
    send_metadata: z.boolean().default(false).describe('Sends type, help and unit of metrics; version 2 always does.'),
    protobuf_message: z
      .enum(MESSAGES, { error: (issue) => `unknown type for remote write protobuf message ${String(issue.input)}, supported: ${MESSAGES.join(', ')}` })
      .default(MESSAGES[0])
      .describe('Version 1 or, behind the feature gate `exporter.prometheusremotewritexporter.enableSendingRW2`, 2 of remote write.'),
    wal: unsupported('wal'),
  })
  .check((context) => {
    const { value, issues } = context,
      version2 = value.protobuf_message === MESSAGES[1];
    const add = (path: string[], message: string): void => void issues.push({ code: 'custom', input: value, path, message });
    if (version2 && !gateEnabled(V2_GATE)) add(['protobuf_message'], `remote write v2 is only supported with the feature gate ${V2_GATE}`);
    if (!version2 && value.translation_strategy.startsWith('No'))
      add(['translation_strategy'], `translation strategy ${value.translation_strategy} requires Prometheus Remote Write 2.0 (UTF-8 support)`);
    for (const [key, text] of Object.entries(value.external_labels))
      if (key === '' || text === '') add(['external_labels'], 'external labels configuration contains an empty key or value');
  });
export type RemoteWriteConfig = z.output<typeof configSchema>;
