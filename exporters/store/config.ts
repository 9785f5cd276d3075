import { z } from 'zod';
import { TRANSLATION_STRATEGIES } from '#src/helper/prometheus/names.ts';

export const configSchema = z.strictObject({
  store: z.string().min(1).optional().describe('The id of the store extension; default: the only one that runs.'),
  namespace: z.string().default('').describe('Put before every metric name but those that were scraped.'),
  translation_strategy: z.enum(TRANSLATION_STRATEGIES).default('UnderscoreEscapingWithSuffixes').describe('How OTLP names become Prometheus names.'),
  external_labels: z.record(z.string().min(1), z.string()).default({}).describe('Labels added to every series that has none of the name.'),
  target_info: z
    .strictObject({ enabled: z.boolean().default(true).describe('Whether the other attributes of a resource become the series target_info.') })
    .prefault({})
    .describe('The series target_info.'),
  disable_scope_info: z.boolean().default(false).describe('Leaves out otel_scope_name, otel_scope_version and the attributes of the scope.'),
});
