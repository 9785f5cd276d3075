/** The schema of transform: statements as a flat list or in groups; every faulty statement is an issue at its own place. */
import { z } from 'zod';
import { candidatesOf, compileGroup, type GroupSpec, isFaulty } from '#ottl/group.ts';
import { functions } from '#ottl/functions/index.ts';
import { contextName, errorMode, type Item, texts, textsOrGroups } from '#src/config/statements.ts';
import type { Signal } from '#src/core/batch.ts';
import { conditionFunctions, transformFunctions } from './functions.ts';

const groupSchema = z.strictObject({
  context: contextName().optional().describe('What the statements run on; empty: inferred from their paths, which then begin with context names.'),
  conditions: texts().default([]).describe('The statements run where one of these holds; empty: everywhere.'),
  statements: texts().default([]).describe('What is done, in order.'),
  error_mode: errorMode().optional().describe('Instead of the error_mode of the processor.'),
});
type StatementGroup = z.output<typeof groupSchema>;
const statementsSchema = (field: string) => textsOrGroups(field, 'statements', groupSchema).default([]);

export const SIGNAL_FIELDS = { traces: 'trace_statements', metrics: 'metric_statements', logs: 'log_statements' } as const;

export const configSchema = z
  .strictObject({
    error_mode: errorMode()
      .default('ignore')
      .describe('What a failing statement does: propagate refuses the batch, ignore logs it and goes on, silent goes on.'),
    trace_statements: statementsSchema('trace_statements').describe(
      'Statements on traces: a list of statements, or of groups {context, conditions, statements, error_mode}.',
    ),
    metric_statements: statementsSchema('metric_statements').describe('Statements on metrics.'),
    log_statements: statementsSchema('log_statements').describe('Statements on logs.'),
    profile_statements: z.array(z.never({ error: 'profile_statements is not supported yet' })).optional(),
    flatten_data: z.literal([false, null], { error: 'flatten_data needs the feature gate transform.flatten.logs, which is not supported yet' }).default(false),
  })
  .superRefine((config, context) => {
    for (const signal of Object.keys(SIGNAL_FIELDS) as Signal[]) {
      const field = SIGNAL_FIELDS[signal];
      for (const { group, places, flat } of groupsOf(config[field])) {
        for (const fault of compileSpec(signal, group)) {
          const below = flat ? [places[fault.index]] : [places[0], fault.in, fault.index];
          context.addIssue({
            code: 'custom',
            path: [field, ...below.filter((part) => part !== undefined && part !== -1)] as (string | number)[],
            message: fault.message,
          });
        }
      }
    }
  });

/** All as groups; `places` are the indexes of the group or, where it was written `flat`, of its statements. */
export function groupsOf(items: readonly Item<StatementGroup>[]) {
  return items.map(({ group, texts: statements, places }) => ({
    group: group ?? { conditions: [], statements: [...statements] },
    places,
    flat: group === null,
  }));
}
export function compileTransform(signal: Signal, group: GroupSpec) {
  return compileGroup(group, candidatesOf(signal, [...functions, ...transformFunctions]), conditionFunctions);
}
function compileSpec(signal: Signal, group: StatementGroup) {
  const compiled = compileTransform(signal, group);
  return isFaulty(compiled) ? compiled : [];
}
