/** The include/exclude properties of contrib's older filters: which spans, log records or metrics something applies to. */
import { z } from 'zod';
import { anyValue } from '#src/config/schema.ts';
import { compilePattern } from '#src/core/regexp/pattern.ts';

const texts = (of: string) => z.array(z.string()).default([]).describe(`${of}: one must match.`);
const attributes = (of: string) =>
  z
    .array(z.strictObject({ key: z.string().min(1), value: anyValue().optional() }))
    .default([])
    .describe(`${of}: all must match; without a value the key must be there.`);
const SPAN_KINDS = ['SPAN_KIND_INTERNAL', 'SPAN_KIND_CLIENT', 'SPAN_KIND_SERVER', 'SPAN_KIND_CONSUMER', 'SPAN_KIND_PRODUCER'];

export const matchProperties = z
  .strictObject({
    match_type: z.string().default('').describe('strict or regexp (RE2, not anchored).'),
    regexp: z
      .strictObject({ cacheenabled: z.boolean().default(false), cachemaxnumentries: z.int().nonnegative().default(0) })
      .optional()
      .describe('Accepted; matching needs no cache here.'),
    services: texts('service.name'),
    span_names: texts('Span names'),
    span_kinds: texts('Span kinds, SPAN_KIND_CLIENT and so on'),
    log_bodies: texts('Bodies that are strings'),
    log_severity_texts: texts('Severity texts'),
    log_severity_number: z
      .strictObject({ min: z.int().default(0), match_undefined: z.boolean().default(false) })
      .optional()
      .describe('Least severity number, and whether an undefined one matches.'),
    metric_names: texts('Metric names'),
    attributes: attributes('Attributes of the record'),
    resources: attributes('Attributes of the resource'),
    libraries: z
      .array(z.strictObject({ name: z.string(), version: z.string().optional() }))
      .default([])
      .describe('Instrumentation scopes: one must match.'),
  })
  .check((context) => {
    const match = context.value,
      wrong = (path: (string | number)[], message: string) => context.issues.push({ code: 'custom', input: match, path, message });
    if (match.match_type !== 'strict' && match.match_type !== 'regexp') {
      wrong(['match_type'], `unrecognized match_type: '${match.match_type}', valid types are: [regexp strict]`);
      return;
    }
    const regexp = match.match_type === 'regexp';
    const check = (path: (string | number)[], source: unknown): void => {
      if (!regexp || source === undefined || source === null) return;
      if (typeof source !== 'string') return void wrong(path, 'match_type regexp takes strings only; quote the value');
      try {
        compilePattern(source);
      } catch (error) {
        wrong(path, (error as Error).message);
      }
    };
    for (const field of ['services', 'span_names', 'span_kinds', 'log_bodies', 'log_severity_texts', 'metric_names'] as const)
      for (const [i, source] of match[field].entries()) check([field, i], source);
    for (const field of ['attributes', 'resources'] as const) for (const [i, { value }] of match[field].entries()) check([field, i, 'value'], value);
    for (const [i, library] of match.libraries.entries()) for (const field of ['name', 'version'] as const) check(['libraries', i, field], library[field]);
    if (!regexp)
      for (const [i, kind] of match.span_kinds.entries())
        if (!SPAN_KINDS.includes(kind))
          wrong(['span_kinds', i], `span_kinds string must match one of the standard span kinds when match_type=strict: ${SPAN_KINDS.join(', ')}`);
  });

export type MatchProperties = z.output<typeof matchProperties>;
