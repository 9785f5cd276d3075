/**
 * The graph: every component of the plan created and connected. Building it opens nothing (that is start(), in lifecycle.ts), so `validate`
 * builds it too. All components that refuse their configuration are reported together.
 */
import type { Signal } from '#src/core/batch.ts';
import type { Clock } from '#src/core/clock.ts';
import type {
  ConnectorDefinition,
  Consumer,
  Consumers,
  CreateContext,
  ExporterDefinition,
  ExtensionDefinition,
  Lifecycle,
  ProcessorDefinition,
  ReceiverDefinition,
  Rewriter,
} from '#src/core/component.ts';
import { ConfigError, type ConfigIssue, errorText } from '#src/core/errors.ts';
import type { OwnTelemetry } from '#src/core/own_telemetry.ts';
import { type ComponentConfig, type LoadedConfig, locateIssues, type Section } from '#src/config/load.ts';
import type { GraphHost } from './host.ts';
import { namedOnce, type Plan, type PlannedPipeline, planGraph } from './plan.ts';
import { Edge, fanOut, fuseRewriters, RewriteStep } from './steps.ts';

/** A running part with its name for logs and errors. */
export interface Part {
  readonly kind: 'extension' | 'exporter' | 'connector' | 'processor' | 'receiver';
  readonly id: string;
  readonly instance: Lifecycle;
}
export interface Graph {
  /** In the order of starting; stopping goes backwards. */
  readonly parts: readonly Part[];
  /** Extensions by id, in order. */
  readonly extensions: ReadonlyMap<string, unknown>;
  readonly pipelines: readonly PlannedPipeline[];
  /** What has gone into each pipeline and each of its components. */
  readonly flow: readonly PipelineFlow[];
}
export interface PipelineFlow {
  readonly id: string;
  readonly signal: Signal;
  readonly entry: Edge;
  readonly receivers: readonly { readonly id: string; readonly edge: Edge }[];
  readonly exporters: readonly { readonly id: string; readonly edge: Edge }[];
  readonly processors: readonly { readonly id: string; readonly edge: Edge }[];
}

export interface GraphOptions {
  readonly telemetry: OwnTelemetry;
  readonly clock: Clock;
  readonly host: GraphHost;
}

/** Throws ConfigError with the places of all that is wrong. */
export function buildGraph(config: LoadedConfig, options: GraphOptions): Graph {
  const plan = planGraph(config);
  if (plan.issues.length > 0) throw locateIssues(config.root, plan.issues);
  const builder = new Builder(config, plan, options);
  const graph = builder.build();
  if (builder.issues.length > 0) throw locateIssues(config.root, builder.issues);
  return graph;
}

class Builder {
  readonly issues: ConfigIssue[] = [];
  readonly #config: LoadedConfig;
  readonly #plan: Plan;
  readonly #options: GraphOptions;
  /** The way into each pipeline exists before its components, so that connectors can lead anywhere. */
  readonly #entries = new Map<string, Edge>();

  constructor(config: LoadedConfig, plan: Plan, options: GraphOptions) {
    this.#config = config;
    this.#plan = plan;
    this.#options = options;
    for (const pipeline of plan.pipelines) this.#entries.set(pipeline.id, new Edge());
  }

  build(): Graph {
    const { components, service } = this.#config,
      { pipelines } = this.#plan;
    const extensions: Part[] = [];
    for (const id of namedOnce(service.extensions)) {
      const component = components.extensions.get(id)!;
      const instance = this.#create('extensions', component, {}, (context) => (component.definition as ExtensionDefinition).create(context));
      if (instance !== undefined) extensions.push({ kind: 'extension', id, instance });
    }
    const extensionMap = new Map(extensions.map((part) => [part.id, part.instance]));
    this.#options.host.setExtensions(extensionMap);
    this.#options.host.setPipelines(pipelines);
    const exporters = this.#exporters(),
      connectors = this.#connectors();
    const receiverEdges = new Map<string, { pipeline: PlannedPipeline; edge: Edge }[]>();
    const flow: PipelineFlow[] = [],
      processorParts: Part[][] = [];
    for (const pipeline of pipelines) {
      const outputs = pipeline.exporters.map((id) => ({ id, edge: new Edge(connectors.get(id)?.instance ?? exporters.get(id)?.instance) }));
      const processed = this.#processors(pipeline, fanOut(outputs.map((output) => output.edge)));
      const entry = this.#entries.get(pipeline.id)!;
      entry.target = processed.first;
      processorParts.push(processed.parts);
      const receivers = pipeline.receivers.map((id) => ({ id, edge: new Edge(entry) }));
      for (const { id, edge } of receivers) receiverEdges.set(id, [...(receiverEdges.get(id) ?? []), { pipeline, edge }]);
      flow.push({ id: pipeline.id, signal: pipeline.signal, entry, receivers, processors: processed.edges, exporters: outputs });
    }
    this.#connectInputs(connectors, receiverEdges);
    const receivers = this.#receivers(receiverEdges);
    return { parts: this.#startOrder(extensions, exporters, connectors, processorParts, receivers), extensions: extensionMap, pipelines, flow };
  }

  #exporters(): Map<string, Part & { instance: Consumer & Lifecycle }> {
    const made = new Map<string, Part & { instance: Consumer & Lifecycle }>();
    for (const id of new Set(this.#plan.pipelines.flatMap((pipeline) => pipeline.exporters))) {
      const component = this.#config.components.exporters.get(id);
      if (component === undefined || this.#config.components.connectors.has(id)) continue;
      const signals = [...new Set(this.#plan.pipelines.filter((pipeline) => pipeline.exporters.includes(id)).map((pipeline) => pipeline.signal))];
      const instance = this.#create('exporters', component, {}, (context) => (component.definition as ExporterDefinition).create({ ...context, signals }));
      if (instance !== undefined) made.set(id, { kind: 'exporter', id, instance });
    }
    return made;
  }

  /** Their consumers are edges that #connectInputs() leads on: a connector may be named before the pipelines that it feeds are there. */
  readonly #connectorOutputs = new Map<string, Map<Signal, Edge>>();
  #connectors(): Map<string, Part & { instance: Consumer & Lifecycle }> {
    const made = new Map<string, Part & { instance: Consumer & Lifecycle }>();
    for (const id of new Set(this.#plan.edges.map((edge) => edge.connector))) {
      const component = this.#config.components.connectors.get(id)!;
      const own = this.#plan.edges.filter((edge) => edge.connector === id);
      const outputs = new Map<Signal, Edge>();
      for (const edge of own) if (!outputs.has(edge.to.signal)) outputs.set(edge.to.signal, new Edge());
      this.#connectorOutputs.set(id, outputs);
      const next: Consumers = Object.fromEntries(outputs),
        signals = [...new Set(own.map((edge) => edge.from.signal))];
      const instance = this.#create('connectors', component, {}, (context) =>
        (component.definition as ConnectorDefinition).create({ ...context, next, signals }),
      );
      if (instance !== undefined) made.set(id, { kind: 'connector', id, instance });
    }
    return made;
  }

  #connectInputs(connectors: ReadonlyMap<string, Part>, receiverEdges: ReadonlyMap<string, readonly { pipeline: PlannedPipeline; edge: Edge }[]>): void {
    for (const id of connectors.keys()) {
      for (const [signal, output] of this.#connectorOutputs.get(id)!) {
        output.target = fanOut((receiverEdges.get(id) ?? []).filter((one) => one.pipeline.signal === signal).map((one) => one.edge));
      }
    }
  }

  #receivers(receiverEdges: ReadonlyMap<string, readonly { pipeline: PlannedPipeline; edge: Edge }[]>): Part[] {
    const made: Part[] = [];
    for (const [id, edges] of receiverEdges) {
      const component = this.#config.components.receivers.get(id);
      if (component === undefined || this.#config.components.connectors.has(id)) continue;
      const next: Partial<Record<Signal, Consumer>> = {};
      for (const { pipeline } of edges) next[pipeline.signal] ??= fanOut(edges.filter((one) => one.pipeline.signal === pipeline.signal).map((one) => one.edge));
      const instance = this.#create('receivers', component, {}, (context) => (component.definition as ReceiverDefinition).create({ ...context, next }));
      if (instance !== undefined) made.push({ kind: 'receiver', id, instance });
    }
    return made;
  }

  /** From the last to the first; runs of neighbouring rewriters become as few passes as they can. */
  #processors(pipeline: PlannedPipeline, output: Consumer): { first: Consumer; parts: Part[]; edges: { id: string; edge: Edge }[] } {
    const parts: Part[] = [],
      edges: { id: string; edge: Edge }[] = [];
    let next = output,
      run: Rewriter[] = [],
      runIds: string[] = [];
    const endRun = (): void => {
      if (run.length === 0) return;
      for (const rewriter of fuseRewriters(run).toReversed()) next = new RewriteStep(rewriter, next);
      const edge = new Edge(next);
      for (const id of runIds) edges.unshift({ id, edge }); // A fused run is counted where it begins: it is one step.
      next = edge;
      run = [];
      runIds = [];
    };
    for (const id of pipeline.processors.toReversed()) {
      const component = this.#config.components.processors.get(id)!,
        definition = component.definition as ProcessorDefinition;
      const fields = { 'otelcol.pipeline.id': pipeline.id, 'otelcol.signal': pipeline.signal },
        { signal } = pipeline;
      if (definition.createRewriter !== undefined) {
        const rewriter = this.#create('processors', component, fields, (context) => definition.createRewriter!({ ...context, signal }));
        if (rewriter === undefined || rewriter === null) continue;
        run.unshift(rewriter);
        runIds.push(id);
        continue;
      }
      endRun();
      const following = next;
      const instance = this.#create('processors', component, fields, (context) => definition.create!({ ...context, signal, next: following }));
      if (instance === undefined) continue;
      parts.unshift({ kind: 'processor', id, instance });
      const edge = new Edge(instance, following);
      edges.unshift({ id, edge });
      next = edge;
    }
    endRun();
    return { first: next, parts, edges };
  }

  /**
   * Extensions, exporters, then pipeline by pipeline against the flow (a connector before the pipelines that feed it), receivers. So a stop,
   * which goes backwards, drains every processor into something that still runs.
   */
  #startOrder(
    extensions: readonly Part[],
    exporters: ReadonlyMap<string, Part>,
    connectors: ReadonlyMap<string, Part>,
    processors: readonly (readonly Part[])[],
    receivers: readonly Part[],
  ): Part[] {
    const parts = [...extensions, ...exporters.values()],
      started = new Set<string>();
    const { pipelines } = this.#plan;
    for (let i = pipelines.length - 1; i >= 0; i--) {
      for (const id of pipelines[i]!.exporters) {
        const connector = connectors.get(id);
        if (connector === undefined || started.has(id)) continue;
        started.add(id);
        parts.push(connector);
      }
      parts.push(...processors[i]!.toReversed());
    }
    return [...parts, ...receivers];
  }

  /** A component that throws is an issue of the configuration, below its own key. */
  #create<T>(
    section: Section,
    component: ComponentConfig,
    fields: Readonly<Record<string, string>>,
    make: (context: CreateContext<unknown>) => T,
  ): T | undefined {
    const { id, kind, config } = component,
      { telemetry, clock, host } = this.#options;
    const own = telemetry.component({ 'otelcol.component.id': id, 'otelcol.component.kind': kind, ...fields });
    try {
      return make({ id, config, telemetry: own, clock, host });
    } catch (error) {
      const issues = error instanceof ConfigError ? error.issues : [{ path: [], message: errorText(error) }];
      for (const issue of issues) {
        const isWhole = issue.path[0] === section && issue.path[1] === id;
        const path = isWhole ? issue.path : [section, id, ...issue.path];
        if (!this.issues.some((known) => known.message === issue.message && known.path.join('::') === path.join('::')))
          this.issues.push({ path, message: issue.message });
      }
      return undefined;
    }
  }
}
