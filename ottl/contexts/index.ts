/** The contexts of OTTL by name, and which others' paths each can use. */
import type { ContextName } from '#ottl/function.ts';
import { INNER_LEVEL, RECORD_LEVEL, RESOURCE_LEVEL, SCOPE_LEVEL } from '#src/data/contexts.ts';
import { cacheEntry } from './access.ts';
import type { Context, PathTable } from './context.ts';
import { datapointEnums, datapointPaths } from './datapoint.ts';
import { logEnums, logPaths } from './log.ts';
import { metricEnums, metricPaths } from './metric.ts';
import { otelcolPaths } from './otelcol.ts';
import { resourcePaths } from './resource.ts';
import { scopePaths } from './scope.ts';
import { spanEnums, spanPaths } from './span.ts';
import { spanEventPaths } from './span_event.ts';

type Root = { readonly level: number; readonly paths: PathTable };
/** Own paths: with the cache, which only a context's own name reaches. */
const own = (level: number, paths: PathTable): Root => ({ level, paths: { ...paths, cache: cacheEntry } });
/** Of the batch, beside all levels. */
const otelcol: Root = { level: 0, paths: otelcolPaths };
const resource: Root = { level: RESOURCE_LEVEL, paths: resourcePaths };
const scope: Root = { level: SCOPE_LEVEL, paths: scopePaths };
/** Under its older name too, but in its own context. */
const scopes = { scope, instrumentation_scope: scope };

export const contexts: Readonly<Record<ContextName, Context>> = {
  resource: { name: 'resource', level: RESOURCE_LEVEL, roots: { resource: own(RESOURCE_LEVEL, resourcePaths), otelcol }, enums: {} },
  scope: { name: 'scope', level: SCOPE_LEVEL, roots: { scope: own(SCOPE_LEVEL, scopePaths), resource, otelcol }, enums: {} },
  span: { name: 'span', level: RECORD_LEVEL, roots: { span: own(RECORD_LEVEL, spanPaths), resource, ...scopes, otelcol }, enums: spanEnums },
  spanevent: {
    name: 'spanevent',
    level: INNER_LEVEL,
    roots: { spanevent: own(INNER_LEVEL, spanEventPaths), span: { level: RECORD_LEVEL, paths: spanPaths }, resource, ...scopes, otelcol },
    enums: spanEnums,
  },
  metric: { name: 'metric', level: RECORD_LEVEL, roots: { metric: own(RECORD_LEVEL, metricPaths), resource, ...scopes, otelcol }, enums: metricEnums },
  datapoint: {
    name: 'datapoint',
    level: INNER_LEVEL,
    roots: { datapoint: own(INNER_LEVEL, datapointPaths), metric: { level: RECORD_LEVEL, paths: metricPaths }, resource, ...scopes, otelcol },
    enums: datapointEnums,
  },
  log: { name: 'log', level: RECORD_LEVEL, roots: { log: own(RECORD_LEVEL, logPaths), resource, ...scopes, otelcol }, enums: logEnums },
};
