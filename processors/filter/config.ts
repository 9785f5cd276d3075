/** The schema of filter: conditions with inferred contexts, conditions by context, and the oldest include/exclude. Every faulty condition is an issue of its own. */
import { z } from 'zod';
import { candidatesOf, type CompiledGroup, compileGroup, type GroupFault, isFaulty, SIGNAL_CONTEXTS } from '#ottl/group.ts';
import { functionsOf, compileCondition } from '#ottl/compile/index.ts';
import { contexts } from '#ottl/contexts/index.ts';
import { describeFault } from '#ottl/syntax/error.ts';
import { contextName, errorMode, texts, textsOrGroups } from '#src/config/statements.ts';
import type { Signal } from '#src/core/batch.ts';
import type { Level } from '#src/data/contexts.ts';
import { filterFunctions } from './functions.ts';
import { KINDS, logPasses, metricPasses, severityNumber, spanPasses } from './match.ts';

const groupSchema = z.strictObject({
  context: contextName().optional().describe('What the conditions look at; empty: inferred for each condition.'),
  conditions: texts().default([]).describe('What matches one of these is dropped.'),
  error_mode: errorMode().optional().describe('Instead of the error_mode of the processor.'),
});
const conditionsSchema = (field: string) => textsOrGroups(field, 'conditions', groupSchema).optional();

const matchTypeOf = <const T extends readonly string[]>(types: T) =>
  z
    .string()
    .default('')
    .pipe(
      z.enum([...types, ''], { error: (issue) => `unrecognized match_type: '${String(issue.input)}', valid types are: [${types.toReversed().join(' ')}]` }),
    );
const matchType = matchTypeOf(['strict', 'regexp']);
const attributeMatch = z.strictObject({ key: z.string().min(1), value: z.unknown().optional() });
export type AttributeMatch = z.output<typeof attributeMatch>;
const cacheOptions = z.strictObject({ cacheenabled: z.boolean().default(false), cachemaxnumentries: z.int().nonnegative().default(0) }).optional();
const spanMatch = z.strictObject({
  match_type: matchType,
  regexp: cacheOptions,
  services: z.array(z.string()).default([]),
  span_names: z.array(z.string()).default([]),
  span_kinds: z.array(z.string()).default([]),
  attributes: z.array(attributeMatch).default([]),
  resources: z.array(attributeMatch).default([]),
  libraries: z.array(z.strictObject({ name: z.string(), version: z.string().optional() })).default([]),
});
export type SpanMatch = z.output<typeof spanMatch>;
const logMatch = z.strictObject({
  match_type: matchType,
  resource_attributes: z.array(attributeMatch).default([]),
  record_attributes: z.array(attributeMatch).default([]),
  severity_texts: z.array(z.string()).default([]),
  severity_number: z
    .strictObject({
      min: z
        .string()
        .default('')
        .refine((text) => severityNumber(text) >= 0, { error: (issue) => `'${String(issue.input)}' is not a valid severity` }),
      match_undefined: z.boolean().default(false),
    })
    .optional(),
  bodies: z.array(z.string()).default([]),
});
export type LogMatch = z.output<typeof logMatch>;
const metricMatch = z.strictObject({
  match_type: matchTypeOf(['strict', 'regexp', 'expr']),
  regexp: cacheOptions,
  metric_names: z.array(z.string()).default([]),
  expressions: z.array(z.string()).default([]),
  resource_attributes: z.array(attributeMatch).default([]),
});
export type MetricMatch = z.output<typeof metricMatch>;

const list = () => texts().optional();
const refused = (name: string) => z.never({ error: `${name} is not supported yet` }).optional();

export const configSchema = z
  .strictObject({
    error_mode: errorMode()
      .default('ignore')
      .describe('What a failing condition does: propagate refuses the batch, ignore logs it and goes on, silent goes on.'),
    trace_conditions: conditionsSchema('trace_conditions').describe(
      'What is dropped of traces: conditions whose paths begin with a context, or groups {context, conditions, error_mode}.',
    ),
    metric_conditions: conditionsSchema('metric_conditions').describe('What is dropped of metrics.'),
    log_conditions: conditionsSchema('log_conditions').describe('What is dropped of logs.'),
    profile_conditions: refused('profile_conditions'),
    traces: z.strictObject({ resource: list(), span: list(), spanevent: list() }).prefault({}).describe('Older form: conditions by context.'),
    metrics: z
      .strictObject({
        resource: list(),
        metric: list(),
        datapoint: list(),
        include: metricMatch.optional(),
        exclude: metricMatch.optional(),
        regexp: cacheOptions,
      })
      .prefault({})
      .describe('Older form, and the oldest: include and exclude.'),
    logs: z
      .strictObject({ resource: list(), log_record: list(), include: logMatch.optional(), exclude: logMatch.optional() })
      .prefault({})
      .describe('Older form, and the oldest.'),
    spans: z
      .strictObject({ include: spanMatch.optional(), exclude: spanMatch.optional() })
      .prefault({})
      .describe('The oldest form for spans: include and exclude.'),
    profiles: refused('profiles'),
  })
  .superRefine((config, context) => {
    const wrong = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const { traces, metrics, logs, spans } = config;
    const both = (first: unknown, second: unknown): boolean => first !== undefined && second !== undefined;
    const oldTraces = traces.resource ?? traces.span ?? traces.spanevent;
    const oldMetrics = metrics.resource ?? metrics.metric ?? metrics.datapoint;
    const oldLogs = logs.resource ?? logs.log_record;
    if (both(oldTraces, spans.include ?? spans.exclude))
      wrong(
        ['traces'],
        'cannot use "traces.resource", "traces.span", "traces.spanevent" and the span settings "spans.include", "spans.exclude" at the same time',
      );
    if (both(oldMetrics, metrics.include ?? metrics.exclude))
      wrong(
        ['metrics'],
        'cannot use "metrics.resource", "metrics.metric", "metrics.datapoint" and the settings "metrics.include", "metrics.exclude" at the same time',
      );
    if (both(oldLogs, logs.include ?? logs.exclude))
      wrong(['logs'], 'cannot use "logs.resource", "logs.log_record" and the settings "logs.include", "logs.exclude" at the same time');
    const exclusive = (field: string, used: unknown, older: unknown, names: string): void => {
      if (both(used, older)) wrong([field], `cannot use context inferred conditions "${field}" and the settings ${names} at the same time`);
    };
    exclusive('trace_conditions', config.trace_conditions, oldTraces, '"traces.resource", "traces.span", "traces.spanevent"');
    exclusive('metric_conditions', config.metric_conditions, oldMetrics ?? metrics.include ?? metrics.exclude, 'of "metrics"');
    exclusive('log_conditions', config.log_conditions, oldLogs ?? logs.include ?? logs.exclude, 'of "logs"');

    for (const signal of ['traces', 'metrics', 'logs'] as const)
      for (const fault of compileConditions(config, signal).faults) wrong([...fault.path], fault.message);
    const attempt = (path: string[], work: () => unknown): void => {
      try {
        work();
      } catch (error) {
        wrong(path, (error as Error).message);
      }
    };
    attempt(['spans'], () => spanPasses(spans));
    attempt(['metrics'], () => metricPasses(metrics));
    attempt(['logs'], () => logPasses(logs));
    for (const side of ['include', 'exclude'] as const) {
      const match = spans[side];
      if (!match) continue;
      if (![match.services, match.span_names, match.attributes, match.libraries, match.resources, match.span_kinds].some((list) => list.length > 0))
        wrong(['spans', side], 'at least one of "services", "span_names", "span_kinds", "attributes", "libraries" or "resources" must be specified');
      for (const kind of match.match_type === 'strict' ? match.span_kinds : [])
        if (!KINDS.includes(kind)) wrong(['spans', side, 'span_kinds'], `"${kind}" is no span kind; use one of ${KINDS.slice(1).join(', ')}`);
    }
  });
export type Config = z.output<typeof configSchema>;

/** Conditions of one context that drop together, with their error mode. */
export interface DropGroup extends CompiledGroup {
  readonly errorMode: 'propagate' | 'ignore' | 'silent';
}
interface Compiled {
  readonly groups: DropGroup[];
  readonly faults: { readonly path: readonly (string | number)[]; readonly message: string }[];
}

const FIELDS = { traces: 'trace_conditions', metrics: 'metric_conditions', logs: 'log_conditions' } as const;

/** All OTTL conditions for a signal, of either form. */
export function compileConditions(
  config: Pick<Config, 'error_mode' | 'traces' | 'metrics' | 'logs' | 'trace_conditions' | 'metric_conditions' | 'log_conditions'>,
  signal: Signal,
): Compiled {
  const out: Compiled = { groups: [], faults: [] };
  const field = FIELDS[signal];
  for (const item of config[field] ?? []) {
    const group = item.group ?? { conditions: [...item.texts] };
    const path = item.group === null ? [field] : [field, item.places[0]!, 'conditions'];
    const mode = group.error_mode ?? config.error_mode;
    const add = (compiled: CompiledGroup | readonly GroupFault[], offset: number): void => {
      if (isFaulty(compiled))
        for (const fault of compiled)
          out.faults.push({
            path: fault.index < 0 ? path : [...path, item.group === null ? item.places[fault.index + offset]! : fault.index + offset],
            message: fault.message,
          });
      else out.groups.push({ ...compiled, errorMode: mode });
    };
    const candidates = candidatesOf(signal, filterFunctions);
    if (group.context !== undefined)
      add(compileGroup({ context: group.context, statements: [], conditions: group.conditions }, candidates, filterFunctions), 0);
    else {
      const before = out.groups.length;
      group.conditions.forEach((condition, i) => {
        add(compileGroup({ statements: [], conditions: [condition] }, candidates, filterFunctions), i);
      });
      out.groups.splice(before, out.groups.length, ...joinByContext(out.groups.slice(before)));
    }
  }
  const older: Readonly<Record<string, readonly string[] | undefined>> =
    signal === 'traces'
      ? { resource: config.traces.resource, span: config.traces.span, spanevent: config.traces.spanevent }
      : signal === 'metrics'
        ? { resource: config.metrics.resource, metric: config.metrics.metric, datapoint: config.metrics.datapoint }
        : { resource: config.logs.resource, log: config.logs.log_record };
  for (const name of SIGNAL_CONTEXTS[signal]) {
    const conditions = older[name];
    if (conditions === undefined || conditions.length === 0) continue;
    const context = contexts[name];
    const touched = { reads: 0, writes: 0, calls: new Set<string>() };
    const scope = { context, functions: functionsOf(context, filterFunctions), pathNames: 'optional', touched } as const;
    const compiled = conditions.flatMap((text, index) => {
      try {
        return [compileCondition(text, scope)];
      } catch (error) {
        out.faults.push({ path: [signal, name === 'log' ? 'log_record' : name, index], message: describeFault(text, error) });
        return [];
      }
    });
    out.groups.push({
      context: name,
      level: context.level as Level,
      reads: touched.reads,
      writes: touched.writes,
      calls: touched.calls,
      statements: [],
      conditions: compiled,
      errorMode: config.error_mode,
    });
  }
  return out;
}

/** Conditions that name no context are sorted by the one that was inferred, outermost first. */
function joinByContext(groups: readonly DropGroup[]): DropGroup[] {
  const joined = new Map<string, DropGroup>();
  for (const group of [...groups].sort((a, b) => a.level - b.level)) {
    const same = joined.get(group.context);
    joined.set(group.context, same ? { ...same, reads: same.reads | group.reads, conditions: [...same.conditions, ...group.conditions] } : group);
  }
  return [...joined.values()];
}
