/** The schema of count: metrics by name for each kind of item, with conditions of OTTL. */
import { z } from 'zod';
import { type CompiledCondition, compileCondition, functionsOf } from '#ottl/compile/index.ts';
import { contexts } from '#ottl/contexts/index.ts';
import type { ContextName } from '#ottl/function.ts';
import { functions } from '#ottl/functions/index.ts';
import { describeFault } from '#ottl/syntax/error.ts';

const attributeSchema = z.strictObject({
  key: z.string().min(1, { error: 'attribute key missing' }).describe('Attribute of the item, else of its scope, else of its resource.'),
  default_value: z.union([z.string(), z.number(), z.boolean()]).optional().describe('Instead, where there is none; without it such an item is not counted.'),
});
const metricSchema = z.strictObject({
  description: z.string().default('').describe('Description of the metric.'),
  conditions: z.array(z.string()).default([]).describe('Items that match one of these are counted; empty: all.'),
  attributes: z.array(attributeSchema).default([]).describe('Counts apart by the values of these.'),
});
export type MetricInfo = z.output<typeof metricSchema>;

/** What is counted, by the key of the configuration: the context of its conditions, and the metric there is where nothing is configured. */
export const COUNTED = {
  spans: { context: 'span', name: 'trace.span.count', description: 'The number of spans observed.' },
  spanevents: { context: 'spanevent', name: 'trace.span.event.count', description: 'The number of span events observed.' },
  metrics: { context: 'metric', name: 'metric.count', description: 'The number of metrics observed.' },
  datapoints: { context: 'datapoint', name: 'metric.datapoint.count', description: 'The number of data points observed.' },
  logs: { context: 'log', name: 'log.record.count', description: 'The number of log records observed.' },
} as const satisfies Record<string, { context: ContextName; name: string; description: string }>;
export type Counted = keyof typeof COUNTED;

const metricsSchema = (counted: Counted) =>
  z
    .record(
      z.string(),
      z.preprocess((value) => value ?? {}, metricSchema),
    )
    .default({})
    .transform((metrics): Record<string, MetricInfo> => {
      const { name, description } = COUNTED[counted];
      return Object.keys(metrics).length > 0 ? metrics : { [name]: { description, conditions: [], attributes: [] } };
    })
    .describe(`Metrics that count ${counted}, by name; empty: ${COUNTED[counted].name}.`);

export const configSchema = z
  .strictObject({
    spans: metricsSchema('spans'),
    spanevents: metricsSchema('spanevents'),
    metrics: metricsSchema('metrics'),
    datapoints: metricsSchema('datapoints'),
    logs: metricsSchema('logs'),
    profiles: z.never({ error: 'profiles are not supported yet' }).optional(),
  })
  .superRefine((config, context) => {
    for (const counted of Object.keys(COUNTED) as Counted[])
      for (const [name, info] of Object.entries(config[counted])) {
        if (name === '') context.addIssue({ code: 'custom', path: [counted], message: `${counted}: metric name missing` });
        if (counted === 'metrics' && info.attributes.length > 0)
          context.addIssue({ code: 'custom', path: [counted, name, 'attributes'], message: 'metrics cannot be counted by attributes' });
        info.conditions.forEach((text, i) => {
          try {
            compileConditions(counted, { ...info, conditions: [text] });
          } catch (error) {
            context.addIssue({ code: 'custom', path: [counted, name, 'conditions', i], message: describeFault(text, error) });
          }
        });
      }
  });
export type Config = z.output<typeof configSchema>;

const converters = functions.filter(({ kind }) => kind === 'converter');
export function compileConditions(counted: Counted, { conditions }: MetricInfo): CompiledCondition[] {
  const context = contexts[COUNTED[counted].context];
  const scope = {
    context,
    functions: functionsOf(context, converters),
    pathNames: 'optional',
    touched: { reads: 0, writes: 0, calls: new Set<string>() },
  } as const;
  return conditions.map((text) => compileCondition(text, scope));
}
