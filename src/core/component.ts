/**
 * What a component is: a definition (type, stability, schema, `create`) and the instance that `create` returns. One `create` serves all
 * signals; nothing is copied per signal. Components never import each other: they meet through the host by id, or through `next`.
 *
 * Instances: a receiver or exporter is created once for its id and shared by all pipelines that name it; a processor is created once for
 * each pipeline that names it; a connector once for its id, with a consumer for each signal it feeds.
 */
import type { z } from 'zod';
import type { Batch, PackedCoding, PackedUse, Signal } from './batch.ts';
import type { Clock } from './clock.ts';
import type { RetryableError } from './errors.ts';
import type { Telemetry } from './telemetry.ts';

export type Kind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension';
export type Stability = 'development' | 'alpha' | 'beta' | 'stable' | 'deprecated' | 'unmaintained';

/** Takes a batch. Settles when the next stage has taken it; rejects with PermanentError or RetryableError, which travels back to the sender. */
export interface Consumer {
  consume(batch: Batch): Promise<void>;
  /** What it could do with the compressed form of a batch, where it or what follows could at all: a receiver asks before it keeps one. */
  packedUse?(coding: PackedCoding): PackedUse;
  /**
   * Why it would take no batch just now, whatever is in it; null or no such method where that is not known before. A receiver asks before it reads
   * a request, so that what will be refused costs next to nothing.
   */
  refusal?(): RetryableError | null;
}

export interface Lifecycle {
  /** Exporters start first, receivers last. A rejection stops the start of the program. */
  start?(): Promise<void> | void;
  /** Drains and closes. Safe before start() and safe twice. Receivers stop first, exporters last. */
  shutdown?(): Promise<void> | void;
}

/** A processor that only rewrites records: neighbouring ones are fused by the graph into one pass over the bytes (src/data has the one implementation). */
export interface Rewriter {
  /** The very same batch where nothing changed; null where nothing is left. Throws PermanentError on malformed bytes. */
  rewrite(batch: Batch): Batch | null;
  /** One rewriter doing this one's work and then `next`'s in a single pass, or null where they cannot be joined. */
  fuse?(next: Rewriter): Rewriter | null;
}

/** An extension that wants to know when everything runs (health_check): the graph looks for both methods on each extension. */
export interface PipelineWatcher {
  /** Every component has started. */
  ready(): void;
  /** Stopping begins. */
  notReady(): void;
}

/** What a component may ask of the program it runs in. */
export interface Host {
  /** The running instance of an extension by its id ("file_storage/main"), or undefined. */
  extension(id: string): unknown;
  /** Extensions that can do something, found by a property they must have, in order of service::extensions. */
  extensions(): ReadonlyMap<string, unknown>;
  /** A component that cannot go on says so; the program shuts down with this error. */
  fatal(error: Error): void;
  /** What the status page shows: the pipelines with their components. */
  pipelines(): readonly PipelineInfo[];
  /** Something a component wants to show on the status page (scrape targets, file positions), by name; called when asked for. */
  publish(name: string, read: () => unknown): void;
  published(name: string): unknown[];
}
export interface PipelineInfo {
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** What every `create` is handed. `id` is the config key: "otlp" or "otlp/second". */
export interface CreateContext<Config> {
  readonly id: string;
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly host: Host;
}

/** The consumers of a receiver or connector: one for each signal that some pipeline takes from it. */
export type Consumers = Readonly<Partial<Record<Signal, Consumer>>>;

interface Definition<Schema extends z.ZodType> {
  /** As in configuration, in the newer snake_case spelling: "file_log". */
  readonly type: string;
  /** Older spellings that mean the same: ["filelog"]. */
  readonly aliases?: readonly string[];
  /** Defaults, types and checks. Issues carry paths below the component's own key. A component that is named without a body gets `{}`. */
  readonly configSchema: Schema;
}
type Parsed<Schema extends z.ZodType> = z.output<Schema>;

export interface ReceiverDefinition<Schema extends z.ZodType = z.ZodType> extends Definition<Schema> {
  readonly kind: 'receiver';
  readonly stability: Readonly<Partial<Record<Signal, Stability>>>;
  create(context: CreateContext<Parsed<Schema>> & { readonly next: Consumers }): Lifecycle;
}
/** A function of a processor's language. */
export interface FunctionSummary {
  readonly signature: string;
  readonly summary: string;
  /** Where it is known; absent: everywhere. */
  readonly contexts?: readonly string[] | undefined;
}
export interface ProcessorDefinition<Schema extends z.ZodType = z.ZodType> extends Definition<Schema> {
  readonly kind: 'processor';
  readonly stability: Readonly<Partial<Record<Signal, Stability>>>;
  /** Exactly one of the two. A rewriter has no lifecycle, no queue and no timer. */
  create?(context: CreateContext<Parsed<Schema>> & { readonly signal: Signal; readonly next: Consumer }): Consumer & Lifecycle;
  /** What its statements may call, for `ottl functions` of the command line. */
  functions?(): readonly FunctionSummary[];
  /** Null: this configuration does nothing for the signal, pass everything. */
  createRewriter?(context: CreateContext<Parsed<Schema>> & { readonly signal: Signal }): Rewriter | null;
}
export interface ExporterDefinition<Schema extends z.ZodType = z.ZodType> extends Definition<Schema> {
  readonly kind: 'exporter';
  readonly stability: Readonly<Partial<Record<Signal, Stability>>>;
  create(context: CreateContext<Parsed<Schema>> & { readonly signals: readonly Signal[] }): Consumer & Lifecycle;
}
export interface ConnectorDefinition<Schema extends z.ZodType = z.ZodType> extends Definition<Schema> {
  readonly kind: 'connector';
  /** Which signal it turns into which: ["traces", "metrics", "alpha"]. */
  readonly routes: readonly (readonly [from: Signal, to: Signal, stability: Stability])[];
  create(context: CreateContext<Parsed<Schema>> & { readonly next: Consumers; readonly signals: readonly Signal[] }): Consumer & Lifecycle;
}
export interface ExtensionDefinition<Schema extends z.ZodType = z.ZodType> extends Definition<Schema> {
  readonly kind: 'extension';
  readonly stability: Stability;
  /** Extensions start before every pipeline, in the order of service::extensions, and stop after them, in reverse. */
  create(context: CreateContext<Parsed<Schema>>): Lifecycle;
}
export type AnyDefinition = ReceiverDefinition | ProcessorDefinition | ExporterDefinition | ConnectorDefinition | ExtensionDefinition;

// The schema's type flows into `create`; outside, all definitions look alike.
export function defineReceiver<Schema extends z.ZodType>(definition: Omit<ReceiverDefinition<Schema>, 'kind'>): ReceiverDefinition {
  return { ...definition, kind: 'receiver' } as unknown as ReceiverDefinition;
}
export function defineProcessor<Schema extends z.ZodType>(definition: Omit<ProcessorDefinition<Schema>, 'kind'>): ProcessorDefinition {
  return { ...definition, kind: 'processor' } as unknown as ProcessorDefinition;
}
export function defineExporter<Schema extends z.ZodType>(definition: Omit<ExporterDefinition<Schema>, 'kind'>): ExporterDefinition {
  return { ...definition, kind: 'exporter' } as unknown as ExporterDefinition;
}
export function defineConnector<Schema extends z.ZodType>(definition: Omit<ConnectorDefinition<Schema>, 'kind'>): ConnectorDefinition {
  return { ...definition, kind: 'connector' } as unknown as ConnectorDefinition;
}
export function defineExtension<Schema extends z.ZodType>(definition: Omit<ExtensionDefinition<Schema>, 'kind'>): ExtensionDefinition {
  return { ...definition, kind: 'extension' } as unknown as ExtensionDefinition;
}
