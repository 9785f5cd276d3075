/**
 * What the graph will look like, before anything is made: pipelines in the order in which data flows, who shares what, which connector leads
 * where. Everything that can be wrong with the shape is found here. No component is created.
 */
import type { Signal } from '#src/core/batch.ts';
import type { ConnectorDefinition } from '#src/core/component.ts';
import type { ConfigIssue } from '#src/core/errors.ts';
import { parseComponentId } from '#src/config/component_ids.ts';
import type { ComponentConfig, LoadedConfig } from '#src/config/load.ts';
import { pipelineSignal } from '#src/config/references.ts';

export interface PlannedPipeline {
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}
/** A connector leads from a pipeline that names it as an exporter to one that names it as a receiver. */
export interface Edge {
  readonly connector: string;
  readonly from: PlannedPipeline;
  readonly to: PlannedPipeline;
}
export interface Plan {
  /** A pipeline stands before those that its connectors feed. */
  readonly pipelines: readonly PlannedPipeline[];
  readonly edges: readonly Edge[];
  readonly issues: readonly ConfigIssue[];
}

export function planGraph(config: LoadedConfig): Plan {
  const { components, service } = config,
    issues: ConfigIssue[] = [];
  const pipelines = Object.entries(service.pipelines).map(([id, pipeline]) => ({
    id,
    signal: pipelineSignal(id)!,
    receivers: namedOnce(pipeline.receivers),
    processors: namedOnce(pipeline.processors),
    exporters: namedOnce(pipeline.exporters),
  }));
  for (const pipeline of pipelines) checkSignals(pipeline, config, issues);
  const edges: Edge[] = [];
  for (const [id, connector] of components.connectors) {
    // An id may be a connector and a receiver or exporter at once only by mistake; the connector wins, as in the Collector.
    const sources = pipelines.filter((pipeline) => pipeline.exporters.includes(id)),
      targets = pipelines.filter((pipeline) => pipeline.receivers.includes(id));
    const found = sources.flatMap((from) => targets.filter((to) => hasRoute(connector, from.signal, to.signal)).map((to) => ({ connector: id, from, to })));
    edges.push(...found);
    checkConnector(connector, sources, targets, found, issues);
  }
  return { pipelines: inFlowOrder(pipelines, edges, issues), edges, issues };
}

/** The ids of a list, trimmed. One that is there twice counts once. */
export function namedOnce(ids: readonly string[] | undefined): string[] {
  return [...new Set((ids ?? []).map((id) => (parseComponentId(id) as { id: string }).id))];
}

function hasRoute(connector: ComponentConfig, from: Signal, to: Signal): boolean {
  return (connector.definition as ConnectorDefinition).routes.some(([source, target]) => source === from && target === to);
}

function checkSignals(pipeline: PlannedPipeline, { components }: LoadedConfig, issues: ConfigIssue[]): void {
  for (const role of ['receivers', 'processors', 'exporters'] as const) {
    pipeline[role].forEach((id, index) => {
      const definition = components[role].get(id)?.definition;
      if (definition === undefined || definition.kind === 'connector' || definition.kind === 'extension' || components.connectors.has(id)) return;
      if (definition.stability[pipeline.signal] !== undefined) return;
      const able = Object.keys(definition.stability).join(', ');
      issues.push({
        path: ['service', 'pipelines', pipeline.id, role, index],
        message: `the ${definition.kind} "${id}" does not support ${pipeline.signal}, only ${able}`,
      });
    });
  }
}

function checkConnector(
  connector: ComponentConfig,
  sources: readonly PlannedPipeline[],
  targets: readonly PlannedPipeline[],
  edges: readonly Edge[],
  issues: ConfigIssue[],
): void {
  const { id } = connector,
    routes = (connector.definition as ConnectorDefinition).routes.map(([from, to]) => `${from} to ${to}`).join(', ');
  const complain = (pipeline: PlannedPipeline, role: 'exporters' | 'receivers', used: string, missing: string): void => {
    const others = (role === 'exporters' ? targets : sources).length > 0;
    issues.push({
      path: ['service', 'pipelines', pipeline.id, role, pipeline[role].indexOf(id)],
      message: `the connector "${id}" is used as ${used} here but in no ${others ? `pipeline of a signal that fits (it leads ${routes})` : 'pipeline'} as ${missing}`,
    });
  };
  for (const pipeline of sources) if (!edges.some((edge) => edge.from === pipeline)) complain(pipeline, 'exporters', 'an exporter', 'a receiver');
  for (const pipeline of targets) if (!edges.some((edge) => edge.to === pipeline)) complain(pipeline, 'receivers', 'a receiver', 'an exporter');
}

/** Takes away, again and again, the pipelines that nobody left feeds; what remains in the end goes in a circle. */
function inFlowOrder(pipelines: readonly PlannedPipeline[], edges: readonly Edge[], issues: ConfigIssue[]): PlannedPipeline[] {
  const ordered: PlannedPipeline[] = [];
  let left = [...pipelines];
  while (left.length > 0) {
    const free = left.filter((pipeline) => !edges.some((edge) => edge.to === pipeline && left.includes(edge.from)));
    if (free.length === 0) {
      const circle = findCircle(left, edges);
      const way = circle.map((edge) => `connector "${edge.connector}" (${edge.from.id} to ${edge.to.id})`).join(' -> ');
      issues.push({ path: ['service', 'pipelines', circle[0]!.from.id], message: `cycle: ${way}; data would go round for ever` });
      return [...ordered, ...left];
    }
    ordered.push(...free);
    left = left.filter((pipeline) => !free.includes(pipeline));
  }
  return ordered;
}

/** Every pipeline in `left` is fed by another of them: walking back must come round. */
function findCircle(left: readonly PlannedPipeline[], edges: readonly Edge[]): Edge[] {
  const walked: Edge[] = [];
  let at = left[0]!;
  for (;;) {
    const edge = edges.find((one) => one.to === at && left.includes(one.from))!;
    const seen = walked.findIndex((one) => one.to === edge.to);
    if (seen >= 0) return walked.slice(seen).reverse();
    walked.push(edge);
    at = edge.from;
  }
}
