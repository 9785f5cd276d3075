import { z } from 'zod';
import { duration } from '#src/config/schema.ts';
import { compilePattern } from '#src/core/regexp/pattern.ts';

export const METRIC_TYPES = ['sum', 'histogram', 'exponentialhistogram'] as const;

/** Which metrics: by name and by kind, both where both are given. */
const matchMetrics = z
  .strictObject({
    match_type: z.enum(['', 'strict', 'regexp']).default('').describe('strict or regexp (RE2, not anchored).'),
    regexp: z
      .strictObject({ cacheenabled: z.boolean().default(false), cachemaxnumentries: z.int().nonnegative().default(0) })
      .optional()
      .describe('Accepted; matching needs no cache here.'),
    metrics: z.array(z.string()).default([]).describe('Names or patterns: one must match.'),
    metric_types: z
      .array(
        z
          .string()
          .refine((type) => (METRIC_TYPES as readonly string[]).includes(type.toLowerCase()), {
            error: (issue) => `found invalid metric type: ${issue.input}; use one of: ${METRIC_TYPES.join(', ')}`,
          })
          .transform((type) => type.toLowerCase()),
      )
      .default([])
      .describe(`Kinds: ${METRIC_TYPES.join(', ')}; one must fit.`),
  })
  .check((context) => {
    const { match_type, metrics } = context.value;
    const wrong = (path: (string | number)[], message: string): void => void context.issues.push({ code: 'custom', input: context.value, path, message });
    if (metrics.length > 0 && match_type === '') wrong(['match_type'], 'match_type must be set if metrics are supplied');
    if (metrics.length === 0 && match_type !== '') wrong(['metrics'], 'metrics must be supplied if match_type is set');
    if (match_type !== 'regexp') return;
    metrics.forEach((source, i) => {
      try {
        compilePattern(source);
      } catch (error) {
        wrong(['metrics', i], (error as Error).message);
      }
    });
  });
export type MatchMetrics = z.output<typeof matchMetrics>;

export const configSchema = z.strictObject({
  max_staleness: duration().prefault('1h').describe('A stream that brings nothing for so long is forgotten; 0: never.'),
  initial_value: z
    .enum(['auto', 'keep', 'drop'])
    .default('auto')
    .describe('The first point of a stream: `keep` and `drop` say it; `auto` keeps it where the stream began after this program did.'),
  include: matchMetrics.prefault({}).describe('Metrics that are converted; not given: all.'),
  exclude: matchMetrics.prefault({}).describe('Metrics that are not.'),
});
export type Config = z.output<typeof configSchema>;
