/** What components ask of the program: other extensions, what is published for the status page, a way to say that it cannot go on. */
import type { Host, PipelineInfo } from '#src/core/component.ts';

export class GraphHost implements Host {
  #extensions: ReadonlyMap<string, unknown> = new Map();
  #pipelines: readonly PipelineInfo[] = [];
  readonly #published = new Map<string, (() => unknown)[]>();
  readonly #onFatal: (error: Error) => void;

  constructor(onFatal: (error: Error) => void) {
    this.#onFatal = onFatal;
  }
  setExtensions(extensions: ReadonlyMap<string, unknown>): void {
    this.#extensions = extensions;
  }
  setPipelines(pipelines: readonly PipelineInfo[]): void {
    this.#pipelines = pipelines;
  }

  extension(id: string): unknown {
    return this.#extensions.get(id.trim());
  }
  extensions(): ReadonlyMap<string, unknown> {
    return this.#extensions;
  }
  fatal(error: Error): void {
    this.#onFatal(error);
  }
  pipelines(): readonly PipelineInfo[] {
    return this.#pipelines;
  }
  publish(name: string, read: () => unknown): void {
    this.#published.set(name, [...(this.#published.get(name) ?? []), read]);
  }
  published(name: string): unknown[] {
    return (this.#published.get(name) ?? []).map((read) => read());
  }
}
