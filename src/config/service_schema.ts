/**
 * The schema of `service`: pipelines, extensions and the program's own telemetry. What refers to what is checked in references.ts; the
 * telemetry options that we do not have are refused by name.
 */
import { z } from 'zod';
import { unsupported } from './schema.ts';

/** As the Collector: level names in any case. */
function level<const Names extends readonly [string, ...string[]]>(names: Names, fallback: Names[number], what: string) {
  return z
    .string()
    .check((context) => {
      if (!names.includes(context.value.toLowerCase()))
        context.issues.push({ code: 'custom', input: context.value, message: `unknown ${what} "${context.value}"; use one of: ${names.join(', ')}` });
    })
    .transform((value) => value.toLowerCase() as Names[number])
    .prefault(fallback);
}

const outputPaths = () => z.array(z.string().min(1)).default(['stderr']).describe('Where log lines go: stderr, stdout or files.');

const logsSchema = z.strictObject({
  level: level(['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'], 'info', 'log level').describe('Least important level that is written.'),
  encoding: z.enum(['console', 'json']).default('console').describe('Form of a line.'),
  development: z.boolean().default(false).describe('Accepted; changes nothing here.'),
  disable_caller: z.boolean().default(false).describe('Accepted; lines never name source files here.'),
  disable_stacktrace: z.boolean().default(false).describe('Accepted; lines never hold stack traces here.'),
  sampling: z
    .strictObject({
      enabled: z.boolean().default(true),
      tick: z.union([z.string(), z.number()]).default('10s'),
      initial: z.int().nonnegative().default(10),
      thereafter: z.int().nonnegative().default(100),
    })
    .nullable()
    .prefault({})
    .describe('Of lines with the same level and message within `tick`, the first `initial` are written, then every `thereafter`-th.'),
  output_paths: outputPaths(),
  error_output_paths: outputPaths(),
  initial_fields: z.record(z.string(), z.unknown()).default({}).describe('Fields of every line.'),
  processors: unsupported('write logs to stderr and collect them from there'),
});

const prometheusReader = z.strictObject({
  host: z.string().default('localhost').describe('Address to listen on.'),
  port: z.int().min(0).max(65535).default(8888).describe('Port to listen on; 0: the system chooses.'),
  without_scope_info: z.boolean().default(true).describe('Accepted; scopes are never shown.'),
  without_type_suffix: z.boolean().default(true).describe('Counters without "_total".'),
  without_units: z.boolean().default(true).describe('Names without their unit.'),
  with_resource_constant_labels: unsupported(),
  translation_strategy: unsupported('use without_type_suffix and without_units'),
});
const readerSchema = z.strictObject({
  pull: z.strictObject({ exporter: z.strictObject({ prometheus: prometheusReader }), producers: unsupported(), cardinality_limits: unsupported() }).optional(),
  periodic: unsupported('use a pull reader and scrape it with the prometheus receiver'),
});

const metricsSchema = z.strictObject({
  level: level(['none', 'basic', 'normal', 'detailed'], 'normal', 'metrics level').describe('"none": nothing is served.'),
  readers: z
    .array(readerSchema)
    .default([{ pull: { exporter: { prometheus: prometheusReader.parse({}) } } }])
    .describe('Where the metrics can be read.'),
  address: z.undefined({ error: 'was removed from the Collector; use readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]' }).optional(),
  views: unsupported(),
});

export const telemetrySchema = z.strictObject({
  logs: logsSchema.prefault({}),
  metrics: metricsSchema.prefault({}),
  traces: z
    .strictObject({ level: level(['none', 'basic', 'normal', 'detailed'], 'none', 'traces level'), processors: unsupported(), propagators: unsupported() })
    .optional()
    .describe('Own traces; only level none is there.'),
  resource: z.record(z.string(), z.unknown()).default({}).describe('Attributes of target_info; null takes one away.'),
});
export type TelemetryConfig = z.output<typeof telemetrySchema>;

const ids = () => z.array(z.string()).optional();
export const pipelineSchema = z.strictObject({ receivers: ids(), processors: ids(), exporters: ids() });
export type PipelineConfig = z.output<typeof pipelineSchema>;

export const serviceSchema = z.strictObject({
  telemetry: telemetrySchema.prefault({}),
  extensions: ids(),
  pipelines: z.record(z.string(), pipelineSchema).default({}),
});
export type ServiceConfig = z.output<typeof serviceSchema>;
