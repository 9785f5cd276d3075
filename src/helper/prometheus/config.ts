/** Options that the exporters of Prometheus series have in common, with the Collector's keys and defaults. */
import { z } from 'zod';
import { TRANSLATION_STRATEGIES } from './names.ts';

export const resourceToTelemetryConversion = () =>
  z
    .strictObject({
      enabled: z.boolean().default(false).describe('Whether all attributes of the resource become labels.'),
      exclude_service_attributes: z.boolean().default(false).describe('But not those that `job` and `instance` are made of.'),
    })
    .prefault({})
    .describe('Attributes of the resource as labels.');

/** Empty by default: `whenEmpty` says what that means. */
export const translationStrategy = (whenEmpty: string) =>
  z
    .enum(['', ...TRANSLATION_STRATEGIES], { error: (issue) => `invalid translation_strategy: ${String(issue.input)}` })
    .default('')
    .describe(`How OTLP names become Prometheus names; ${whenEmpty}.`);
