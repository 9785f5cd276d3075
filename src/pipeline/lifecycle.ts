/** Starting and stopping the parts of a graph in order. A failed start stops what had started; a stop goes on past failures, up to a bound. */
import type { PipelineWatcher } from '#src/core/component.ts';
import { errorText } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import type { Graph, Part } from './graph.ts';

/** Kubernetes kills after 30 s; a few are left for what comes after. */
export const STOP_TIMEOUT_MS = 25_000;

/** Rejects with an error that names the component; what had started is stopped by then. */
export async function startGraph(graph: Graph, log: Log): Promise<void> {
  const started: Part[] = [];
  for (const part of graph.parts) {
    started.push(part);
    try {
      await part.instance.start?.();
    } catch (error) {
      await stopParts(started, log);
      throw new Error(`cannot start the ${part.kind} "${part.id}"`, { cause: error });
    }
  }
  for (const watcher of watchers(graph)) watcher.ready();
}

/** Drains and stops everything. False where that took longer than `timeoutMs`, or a part failed to stop. */
export async function stopGraph(graph: Graph, log: Log, timeoutMs = STOP_TIMEOUT_MS): Promise<boolean> {
  for (const watcher of watchers(graph)) watcher.notReady();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      log.error('Stopping took too long; what is not drained yet is lost.', { timeout_ms: timeoutMs });
      resolve(false);
    }, timeoutMs);
  });
  const clean = await Promise.race([stopParts(graph.parts, log), late]);
  clearTimeout(timer);
  return clean;
}

async function stopParts(parts: readonly Part[], log: Log): Promise<boolean> {
  let clean = true;
  for (const part of parts.toReversed()) {
    try {
      await part.instance.shutdown?.();
    } catch (error) {
      clean = false;
      log.error('A component failed to stop.', { 'otelcol.component.id': part.id, 'otelcol.component.kind': part.kind, error: errorText(error) });
    }
  }
  return clean;
}

function watchers(graph: Graph): PipelineWatcher[] {
  return [...graph.extensions.values()].filter((extension): extension is PipelineWatcher => {
    const watcher = extension as Partial<PipelineWatcher> | undefined;
    return typeof watcher?.ready === 'function' && typeof watcher.notReady === 'function';
  });
}
