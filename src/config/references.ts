/** Whether the ids of service::pipelines and service::extensions lead anywhere. Which signals go together is the graph's question (src/pipeline). */
import { SIGNALS, type Signal } from '#src/core/batch.ts';
import type { ConfigIssue } from '#src/core/errors.ts';
import { parseComponentId } from './component_ids.ts';
import type { PipelineConfig, ServiceConfig } from './service_schema.ts';
import { nearest } from './suggest.ts';

/** The ids of each section, also of components whose own settings are wrong. */
export type Declared = Readonly<Record<'receivers' | 'processors' | 'exporters' | 'connectors' | 'extensions', ReadonlySet<string>>>;

const FUTURE_SIGNALS: ReadonlySet<string> = new Set(['profiles', 'entities']);

/** The signal of a pipeline id ("logs/audit"), or undefined. */
export function pipelineSignal(id: string): Signal | undefined {
  const parsed = parseComponentId(id);
  return 'fault' in parsed ? undefined : SIGNALS.find((signal) => signal === parsed.type);
}

export function checkReferences(service: ServiceConfig, declared: Declared): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const section of ['receivers', 'exporters'] as const) {
    if (declared[section].size === 0 && declared.connectors.size === 0)
      issues.push({ path: [section], message: `no ${section.slice(0, -1)} is configured; at least one is needed` });
  }
  const pipelines = Object.entries(service.pipelines);
  if (pipelines.length === 0) issues.push({ path: ['service', 'pipelines'], message: 'there must be at least one pipeline' });
  for (const [id, pipeline] of pipelines) checkPipeline(id, pipeline, declared, issues);
  checkIds(service.extensions ?? [], ['service', 'extensions'], 'extensions', [declared.extensions], issues);
  return issues;
}

function checkPipeline(id: string, pipeline: PipelineConfig, declared: Declared, issues: ConfigIssue[]): void {
  const path = ['service', 'pipelines', id];
  if (pipelineSignal(id) === undefined) {
    const type = id.split('/', 1)[0]!.trim(),
      near = nearest(type, SIGNALS);
    issues.push({
      path,
      message: FUTURE_SIGNALS.has(type)
        ? `the signal "${type}" is not supported yet`
        : `"${type}" is no signal; ${near === undefined ? `use ${SIGNALS.join(', ')}` : `did you mean "${near}"?`}`,
    });
  }
  if ((pipeline.receivers ?? []).length === 0) issues.push({ path: [...path, 'receivers'], message: 'a pipeline must have at least one receiver' });
  if ((pipeline.exporters ?? []).length === 0) issues.push({ path: [...path, 'exporters'], message: 'a pipeline must have at least one exporter' });
  checkIds(pipeline.receivers ?? [], [...path, 'receivers'], 'receivers', [declared.receivers, declared.connectors], issues);
  checkIds(pipeline.processors ?? [], [...path, 'processors'], 'processors', [declared.processors], issues);
  checkIds(pipeline.exporters ?? [], [...path, 'exporters'], 'exporters', [declared.exporters, declared.connectors], issues);
}

function checkIds(ids: readonly string[], path: readonly string[], section: string, known: readonly ReadonlySet<string>[], issues: ConfigIssue[]): void {
  const seen = new Set<string>();
  ids.forEach((text, index) => {
    const at = [...path, index],
      parsed = parseComponentId(text);
    if ('fault' in parsed) {
      issues.push({ path: at, message: parsed.fault });
      return;
    }
    if (seen.has(parsed.id) && section === 'processors') issues.push({ path: at, message: `"${parsed.id}" is named twice` });
    seen.add(parsed.id);
    if (known.some((set) => set.has(parsed.id))) return;
    const ids = known.flatMap((set) => [...set]),
      near = nearest(parsed.id, ids);
    const hint = near !== undefined ? `did you mean "${near}"?` : `add it under ${section}${ids.length > 0 ? ` or use one of: ${ids.join(', ')}` : ''}`;
    issues.push({ path: at, message: `"${parsed.id}" is not configured; ${hint}` });
  });
}
