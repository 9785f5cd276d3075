/** Keys and defaults of the Collector's prometheusexporter. */
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';
import { exporterSettings } from '#src/helper/exporter/config.ts';
import { resourceToTelemetryConversion, translationStrategy } from '#src/helper/prometheus/config.ts';
import { checkListen, httpServerShape } from '#src/net/config.ts';

const { sending_queue } = exporterSettings({ queueEnabled: false });

export const configSchema = z
  .strictObject({
    ...httpServerShape(''),
    endpoint: z
      .string({ error: 'expecting a non-blank address to run the Prometheus metrics handler' })
      .refine((value) => value.trim() !== '', { message: 'expecting a non-blank address to run the Prometheus metrics handler' })
      .describe('Address to listen on.'),
    sending_queue,
    namespace: z.string().default('').describe('Put before every metric name.'),
    const_labels: z.record(z.string().min(1), z.string()).default({}).describe('Labels added to every series.'),
    send_timestamps: z.boolean().default(false).describe('Shows the time of each point.'),
    metric_expiration: duration().prefault('5m').describe('How long a series is shown without a new point.'),
    resource_to_telemetry_conversion: resourceToTelemetryConversion(),
    enable_open_metrics: z.boolean().default(false).describe('Answers in the OpenMetrics format, which has exemplars, where it is asked for.'),
    without_scope_info: z
      .boolean()
      .default(false)
      .describe('Leaves out otel_scope_name, otel_scope_version, otel_scope_schema_url and the attributes of the scope.'),
    add_metric_suffixes: z
      .boolean()
      .default(true)
      .describe('Counts only without the feature gate `exporter.prometheusexporter.DisableAddMetricSuffixes`, which is on; use `translation_strategy`.'),
    translation_strategy: translationStrategy('empty is UnderscoreEscapingWithSuffixes'),
  })
  .check(checkListen);
export type PrometheusConfig = z.output<typeof configSchema>;
