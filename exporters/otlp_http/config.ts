/** Keys and defaults of the Collector's otlphttpexporter. `timeout` is the HTTP client's, as there. */
import { z } from 'zod';
import { retrySettings, exporterSettings } from '#src/helper/exporter/config.ts';
import { checkCompressionLevel, compressedPassThrough, httpClientShape } from '#src/net/config.ts';

const isUrl = (text: string): boolean => URL.canParse(text);
const signalUrl = (signal: string) =>
  z
    .string()
    .default('')
    .refine((value) => value === '' || isUrl(value), { message: `${signal}_endpoint must be a valid URL` })
    .describe(`URL for ${signal}; without it \`endpoint\` with /v1/${signal} behind.`);

const { sending_queue } = exporterSettings();

export const configSchema = z
  .strictObject({
    ...httpClientShape({ compression: 'gzip', timeout: '30s' }),
    compressed_pass_through: compressedPassThrough(),
    traces_endpoint: signalUrl('traces'),
    metrics_endpoint: signalUrl('metrics'),
    logs_endpoint: signalUrl('logs'),
    encoding: z
      .enum(['proto', 'json'], { error: (issue) => `invalid encoding type: ${String(issue.input)}` })
      .default('proto')
      .describe('proto or json.'),
    retry_on_failure: retrySettings(),
    sending_queue,
  })
  .check((context) => {
    const { value, issues } = context;
    const add = (path: string[], message: string): void => void issues.push({ code: 'custom', input: value, path, message });
    if (!value.endpoint && !value.traces_endpoint && !value.metrics_endpoint && !value.logs_endpoint) add([], 'at least one endpoint must be specified');
    if (value.endpoint && !isUrl(value.endpoint)) add(['endpoint'], `"${value.endpoint}": endpoint must be a valid URL, for example "http://localhost:4318"`);
    const fault = checkCompressionLevel(value.compression, value.compression_params.level);
    if (fault !== undefined) add(['compression_params', 'level'], fault);
  });
export type OtlpHttpConfig = z.output<typeof configSchema>;
