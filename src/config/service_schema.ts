/**
 * The schema of `service`: pipelines, extensions and the program's own telemetry. What refers to what is checked in references.ts; the
 * telemetry options that we do not have are refused by name.
 */
import { z } from 'zod';
import { duration, KIND, unsupported } from './schema.ts';

/** As the Collector: level names in any case. */
function level<const Names extends readonly [string, ...string[]]>(names: Names, fallback: Names[number], what: string) {
  return z
    .string()
    .check((context) => {
      if (context.value === '') context.value = fallback;
      if (!names.includes(context.value.toLowerCase()))
        context.issues.push({ code: 'custom', input: context.value, message: `unknown ${what} "${context.value}"; use one of: ${names.join(', ')}` });
    })
    .transform((value) => value.toLowerCase() as Names[number])
    .prefault(fallback);
}

const LOG_LEVEL_NAMES = ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'] as const;
/** As zap reads it: a name, "warning" too, or its number from -1 (debug) on. */
function logLevel() {
  return z
    .preprocess(
      (given) => {
        if (typeof given === 'string' && given.toLowerCase() === 'warning') return 'warn';
        return typeof given === 'number' ? LOG_LEVEL_NAMES[Math.min(Math.max(Math.trunc(given) + 1, 0), LOG_LEVEL_NAMES.length - 1)] : given;
      },
      level(LOG_LEVEL_NAMES, 'info', 'log level'),
    )
    .prefault('info');
}

const outputPaths = () => z.array(z.string().min(1)).default(['stderr']).describe('Where log lines go: stderr, stdout or files.');

const logsSchema = z.strictObject({
  level: logLevel().describe('Least important level that is written.'),
  encoding: z.enum(['console', 'json']).default('console').describe('Form of a line.'),
  development: z.boolean().default(false).describe('Accepted; changes nothing here.'),
  disable_caller: z.boolean().default(false).describe('Accepted; lines never name source files here.'),
  disable_stacktrace: z.boolean().default(false).describe('Accepted; lines never hold stack traces here.'),
  sampling: z
    .strictObject({
      enabled: z.boolean().default(true),
      tick: duration().prefault('10s'),
      initial: z.int().nonnegative().default(10),
      thereafter: z.int().nonnegative().default(100),
    })
    .nullable()
    .prefault({})
    .describe('Of lines with the same level and message within `tick`, the first `initial` are written, then every `thereafter`-th.'),
  output_paths: outputPaths(),
  error_output_paths: outputPaths(),
  initial_fields: z.record(z.string(), z.unknown()).default({}).describe('Fields of every line.'),
  disable_zap_resource: z.boolean().default(false).describe('Accepted; lines never hold the resource here.'),
  processors: z
    .array(z.unknown())
    .max(0, { error: 'is not supported yet; write logs to stderr and collect them from there' })
    .optional()
    .describe('Refused unless empty.'),
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

const metricsSchema = z
  .strictObject({
    level: level(['none', 'basic', 'normal', 'detailed'], 'normal', 'metrics level').describe('"none": nothing is served.'),
    readers: z
      .array(readerSchema)
      .default([{ pull: { exporter: { prometheus: prometheusReader.parse({}) } } }])
      .describe('Where the metrics can be read.'),
    address: z
      .undefined({ error: 'was removed from the Collector; use readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]' })
      .optional(),
    views: unsupported(),
  })
  .check((context) => {
    const { level: wanted, readers } = context.value;
    if (wanted !== 'none' && readers.length === 0)
      context.issues.push({ code: 'custom', input: readers, path: ['readers'], message: 'there must be a reader where the level is not none' });
  });

/** As a list of `attributes`, or in the older form as keys beside it. */
const resourceSchema = z
  .object({
    attributes: z.array(z.strictObject({ name: z.string(), value: z.unknown().optional(), type: unsupported('the value says it') })).optional(),
    schema_url: z.string().optional(),
    attributes_list: unsupported('use attributes'),
    detectors: unsupported(),
  })
  .catchall(z.string().nullable())
  .check((context) => {
    const { attributes, schema_url: _, attributes_list: _list, detectors: _detectors, ...older } = context.value;
    if (attributes && attributes.length > 0 && Object.keys(older).length > 0)
      context.issues.push({ code: 'custom', input: older, message: 'attributes cannot stand beside attributes in the older form' });
  });

export const telemetrySchema = z.strictObject({
  logs: logsSchema.prefault({}),
  metrics: metricsSchema.prefault({}),
  traces: z
    .strictObject({ level: level(['none', 'basic', 'normal', 'detailed'], 'none', 'traces level'), processors: unsupported(), propagators: unsupported() })
    .optional()
    .describe('Own traces; only level none is there.'),
  resource: resourceSchema.prefault({}).describe('Attributes of target_info; null takes one away.'),
});
export type TelemetryConfig = z.output<typeof telemetrySchema>;

function ids() {
  const list = z.array(z.string());
  KIND.add(list, { kind: 'ids' });
  return list.optional();
}

export const pipelineSchema = z.strictObject({ receivers: ids(), processors: ids(), exporters: ids() });
export type PipelineConfig = z.output<typeof pipelineSchema>;

export const serviceSchema = z.strictObject({
  telemetry: telemetrySchema.prefault({}),
  extensions: ids(),
  pipelines: z.record(z.string(), pipelineSchema).default({}),
});
export type ServiceConfig = z.output<typeof serviceSchema>;
