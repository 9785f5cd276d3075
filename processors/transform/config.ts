/** The schema of transform: statements as a flat list or in groups; every faulty statement is an issue at its own place. */
import { z } from 'zod';
import { candidatesOf, compileGroup, type GroupSpec, isFaulty } from '#ottl/group.ts';
import type { ContextName } from '#ottl/function.ts';
import { functions } from '#ottl/functions/index.ts';
import type { Signal } from '#src/core/batch.ts';
import { conditionFunctions, transformFunctions } from './functions.ts';

export const errorModeSchema = z.enum(['propagate', 'ignore', 'silent'], {
  error: (issue) => `unknown error mode ${String(issue.input)}; use one of propagate, ignore, silent`,
});
const CONTEXTS = ['resource', 'scope', 'span', 'spanevent', 'metric', 'datapoint', 'log'] as const satisfies readonly ContextName[];
export const contextSchema = z.preprocess(
  (value) => (typeof value === 'string' ? value.toLowerCase() : value),
  z.enum(CONTEXTS, { error: (issue) => `unknown context ${String(issue.input)}; use one of ${CONTEXTS.join(', ')}` }),
);

const groupSchema = z.strictObject({
  context: contextSchema.optional().describe('What the statements run on; empty: inferred from their paths, which then begin with context names.'),
  conditions: z.array(z.string()).default([]).describe('The statements run where one of these holds; empty: everywhere.'),
  statements: z.array(z.string()).default([]).describe('What is done, in order.'),
  error_mode: errorModeSchema.optional().describe('Instead of the error_mode of the processor.'),
});
export type StatementGroup = z.output<typeof groupSchema>;
/** A text or a group. Not a union, whose issues would not say what is wrong with a group. */
const itemSchema = z.unknown().transform((item, context) => {
  if (typeof item === 'string') return item;
  const parsed = groupSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  for (const { message, path } of parsed.error.issues) context.issues.push({ code: 'custom', input: item, message, path: [...path] });
  return z.NEVER;
});

/** Either a list of statements or a list of groups; what comes out is always groups. `flat` keeps the places of the issues right. */
function statementsSchema(field: string) {
  return z
    .array(itemSchema, { error: () => `${field} must be a list of statements or of groups of statements` })
    .check((context) => {
      const texts = context.value.filter((item) => typeof item === 'string').length;
      if (texts > 0 && texts < context.value.length)
        context.issues.push({
          code: 'custom',
          input: context.value,
          message: `${field}: configuring multiple configuration styles is not supported; use either a list of statements or a list of groups`,
        });
    })
    .default([]);
}

const refused = (name: string) => z.never({ error: `${name} is not supported yet` }).optional();

export const SIGNAL_FIELDS = { traces: 'trace_statements', metrics: 'metric_statements', logs: 'log_statements' } as const;

export const configSchema = z
  .strictObject({
    error_mode: errorModeSchema
      .default('ignore')
      .describe('What a failing statement does: propagate refuses the batch, ignore logs it and goes on, silent goes on.'),
    trace_statements: statementsSchema('trace_statements').describe(
      'Statements on traces: a list of statements, or of groups {context, conditions, statements, error_mode}.',
    ),
    metric_statements: statementsSchema('metric_statements').describe('Statements on metrics.'),
    log_statements: statementsSchema('log_statements').describe('Statements on logs.'),
    profile_statements: refused('profile_statements'),
    flatten_data: z.literal(false, { error: 'flatten_data needs the feature gate transform.flatten.logs, which is not supported yet' }).default(false),
  })
  .superRefine((config, context) => {
    for (const signal of Object.keys(SIGNAL_FIELDS) as Signal[]) {
      const field = SIGNAL_FIELDS[signal];
      const items = config[field];
      const flat = items.length > 0 && typeof items[0] === 'string';
      groupsOf(items).forEach((group, index) => {
        for (const fault of compileSpec(signal, group)) {
          const below = flat ? [fault.index] : [index, fault.in, fault.index];
          context.addIssue({ code: 'custom', path: [field, ...below.filter((part) => part !== -1)], message: fault.message });
        }
      });
    }
  });

export function groupsOf(items: readonly (string | StatementGroup)[]): StatementGroup[] {
  const texts = items.filter((item) => typeof item === 'string');
  if (texts.length > 0) return [{ conditions: [], statements: texts }];
  return items.filter((item) => typeof item !== 'string');
}
export function compileTransform(signal: Signal, group: GroupSpec) {
  return compileGroup(group, candidatesOf(signal, [...functions, ...transformFunctions]), conditionFunctions);
}
function compileSpec(signal: Signal, group: StatementGroup) {
  if (group.statements.length === 0 && group.conditions.length === 0) return [];
  const compiled = compileTransform(signal, group);
  return isFaulty(compiled) ? compiled : [];
}
