import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { loadConfig } from '#src/config/load.ts';
import { Batch, type Signal } from '#src/core/batch.ts';
import type { Catalog } from '#src/core/catalog.ts';
import { systemClock } from '#src/core/clock.ts';
import {
  type Consumer,
  type Consumers,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type PipelineWatcher,
  type Rewriter,
} from '#src/core/component.ts';
import { ConfigError, PermanentError, RetryableError } from '#src/core/errors.ts';
import { DEFAULT_LOG_OPTIONS, LogSink } from '#src/core/log.ts';
import { OwnTelemetry } from '#src/core/own_telemetry.ts';
import { buildGraph, type Graph } from './graph.ts';
import { GraphHost } from './host.ts';
import { startGraph, stopGraph } from './lifecycle.ts';

const beta = { traces: 'beta', metrics: 'beta', logs: 'beta' } as const;
const anything = z.record(z.string(), z.unknown());

/** Components that write down what happens to them. */
class Bench {
  readonly events: string[] = [];
  readonly receivers = new Map<string, Consumers>();
  readonly taken = new Map<string, Batch[]>();
  readonly failures = new Map<string, Error>();
  readonly signalsOf = new Map<string, readonly Signal[]>();

  #life(name: string) {
    return {
      start: async () => {
        this.events.push(`start ${name}`);
        const failure = this.failures.get(`start ${name}`);
        if (failure) throw failure;
      },
      shutdown: async () => {
        this.events.push(`stop ${name}`);
        const failure = this.failures.get(`stop ${name}`);
        if (failure) throw failure;
      },
    };
  }

  catalog(): Catalog {
    const receiver = defineReceiver({
      type: 'in',
      stability: beta,
      configSchema: anything,
      create: ({ id, next }) => {
        this.receivers.set(id, next);
        return this.#life(id);
      },
    });
    const exporter = defineExporter({
      type: 'out',
      stability: beta,
      configSchema: anything,
      create: ({ id, config, signals }) => {
        if (config['refuse']) throw new ConfigError([{ path: ['refuse'], message: 'refused' }]);
        this.signalsOf.set(id, signals);
        const consume = async (batch: Batch): Promise<void> => {
          const failure = this.failures.get(id);
          if (failure) throw failure;
          this.taken.set(id, [...(this.taken.get(id) ?? []), batch]);
        };
        return { consume, ...this.#life(id) };
      },
    });
    const step = defineProcessor({
      type: 'step',
      stability: beta,
      configSchema: anything,
      create: ({ id, next }) => ({ consume: (batch: Batch) => next.consume(batch), ...this.#life(id) }),
    });
    const rewriter = (name: string): Rewriter => ({
      rewrite: (batch) => {
        this.events.push(`rewrite ${name}`);
        if (batch.itemCount === 0) throw new PermanentError('nothing in it');
        return batch.itemCount === 13 ? null : new Batch(batch.signal, batch.parts, batch.itemCount + 1);
      },
      fuse: (next) => ((next as { name?: string }).name === undefined ? null : rewriter(`${name}+${(next as { name?: string }).name}`)),
      ...{ name },
    });
    const rewrite = defineProcessor({ type: 'rewrite', stability: beta, configSchema: anything, createRewriter: ({ id }) => rewriter(id) });
    const idle = defineProcessor({ type: 'idle', stability: beta, configSchema: anything, createRewriter: () => null });
    const forward = defineConnector({
      type: 'forward',
      routes: [
        ['traces', 'traces', 'beta'],
        ['logs', 'logs', 'beta'],
        ['logs', 'metrics', 'beta'],
      ],
      configSchema: anything,
      create: ({ id, next }) => ({ consume: (batch: Batch) => (next[batch.signal] ?? next.metrics)!.consume(batch), ...this.#life(id) }),
    });
    const extension = defineExtension({
      type: 'watch',
      stability: 'beta',
      configSchema: anything,
      create: ({ id }) => {
        const watcher: PipelineWatcher = { ready: () => void this.events.push('ready'), notReady: () => void this.events.push('not ready') };
        return { ...watcher, ...this.#life(id) };
      },
    });
    const only = defineExporter({
      type: 'only_metrics',
      stability: { metrics: 'beta' },
      configSchema: anything,
      create: () => ({ consume: () => Promise.resolve() }),
    });
    const load =
      <T>(definition: T) =>
      async () =>
        ({ default: definition }) as never;
    return {
      receiver: { in: load(receiver) },
      processor: { step: load(step), rewrite: load(rewrite), idle: load(idle) },
      exporter: { out: load(exporter), only_metrics: load(only) },
      connector: { forward: load(forward) },
      extension: { watch: load(extension) },
    };
  }

  async graph(yaml: string): Promise<Graph> {
    const config = await loadConfig({ uris: [`yaml:${yaml}`], settings: [] }, this.catalog());
    const telemetry = new OwnTelemetry(new LogSink({ ...DEFAULT_LOG_OPTIONS, outputPaths: [] }), {});
    return buildGraph(config, { telemetry, clock: systemClock, host: new GraphHost(() => {}) });
  }
}
const log = new LogSink({ ...DEFAULT_LOG_OPTIONS, outputPaths: [] }).child({});
const logs = (items: number): Batch => new Batch('logs', [new Uint8Array(items)], items);

const CHAIN = `
extensions: {watch: }
receivers: {in: }
processors: {step/a: , step/b: , step/c: }
exporters: {out: }
connectors: {forward: }
service:
  extensions: [watch]
  pipelines:
    logs/second: {receivers: [forward], processors: [step/c], exporters: [out]}
    logs/first: {receivers: [in], processors: [step/a, step/b], exporters: [forward, out]}`;

test('parts start against the flow and stop with it', async () => {
  const bench = new Bench(),
    graph = await bench.graph(CHAIN);
  await startGraph(graph, log);
  const started = ['start watch', 'start out', 'start step/c', 'start forward', 'start step/b', 'start step/a', 'start in', 'ready'];
  assert.deepEqual(bench.events, started);
  bench.events.length = 0;
  assert.equal(await stopGraph(graph, log), true);
  assert.deepEqual(bench.events, [
    'not ready',
    ...started
      .slice(0, -1)
      .toReversed()
      .map((event) => event.replace('start', 'stop')),
  ]);
});

test('a failed start names the component and stops what had started', async () => {
  const bench = new Bench(),
    graph = await bench.graph(CHAIN);
  bench.failures.set('start step/c', new Error('no luck'));
  await assert.rejects(
    startGraph(graph, log),
    (error: Error) => error.message === 'cannot start the processor "step/c"' && (error.cause as Error).message === 'no luck',
  );
  assert.deepEqual(bench.events, ['start watch', 'start out', 'start step/c', 'stop step/c', 'stop out', 'stop watch']);
});

test('a stop goes on past a part that fails, and ends when the time is up', async () => {
  const bench = new Bench(),
    graph = await bench.graph(CHAIN);
  await startGraph(graph, log);
  bench.failures.set('stop step/a', new Error('stuck'));
  assert.equal(await stopGraph(graph, log), false);
  assert.ok(bench.events.includes('stop out'));
  const hanging: Graph = { ...graph, parts: [{ kind: 'exporter', id: 'slow', instance: { shutdown: () => new Promise<void>(() => {}) } }] };
  assert.equal(await stopGraph(hanging, log, 20), false);
});

test('branches get the very same batch, through connectors too, and every edge counts', async () => {
  const bench = new Bench(),
    graph = await bench.graph(CHAIN);
  const batch = logs(5);
  await bench.receivers.get('in')!.logs!.consume(batch);
  assert.deepEqual(bench.taken.get('out'), [batch, batch]);
  assert.ok(bench.taken.get('out')!.every((one) => one === batch));
  for (const flow of graph.flow)
    assert.deepEqual(
      [flow.entry.items, ...[...flow.receivers, ...flow.processors, ...flow.exporters].map(({ edge }) => edge.items)],
      [5, ...Array(flow.processors.length + flow.exporters.length + 1).fill(5)],
      flow.id,
    );
});

test('fan-out gives to all, and is permanent only where all that failed are', async () => {
  const bench = new Bench();
  await bench.graph(
    '{receivers: {in: }, exporters: {out/a: , out/b: , out/c: }, service: {pipelines: {logs: {receivers: [in], exporters: [out/a, out/b, out/c]}}}}',
  );
  const consumer = bench.receivers.get('in')!.logs!;
  bench.failures.set('out/a', new PermanentError('bad bytes'));
  await assert.rejects(consumer.consume(logs(1)), PermanentError);
  assert.deepEqual([bench.taken.get('out/b')?.length, bench.taken.get('out/c')?.length], [1, 1]);
  bench.failures.set('out/c', new RetryableError('full'));
  await assert.rejects(consumer.consume(logs(1)), RetryableError);
  assert.equal(bench.taken.get('out/b')?.length, 2);
});

test('an exporter is one instance for all pipelines and signals that name it; a receiver feeds all of its pipelines', async () => {
  const bench = new Bench();
  await bench.graph(
    '{receivers: {in: }, exporters: {out: }, service: {pipelines: {logs: {receivers: [in], exporters: [out]}, logs/2: {receivers: [in], exporters: [out]}, traces: {receivers: [in], exporters: [out]}}}}',
  );
  assert.deepEqual(bench.signalsOf.get('out'), ['logs', 'traces']);
  assert.deepEqual(Object.keys(bench.receivers.get('in')!), ['logs', 'traces']);
  await bench.receivers.get('in')!.logs!.consume(logs(1));
  assert.equal(bench.taken.get('out')?.length, 2);
});

test('neighbouring rewriters run as one, an idle one not at all; an empty result goes no further', async () => {
  const bench = new Bench();
  await bench.graph(
    '{receivers: {in: }, processors: {rewrite/a: , idle: , rewrite/b: , step: , rewrite/c: }, exporters: {out: }, service: {pipelines: {logs: {receivers: [in], processors: [rewrite/a, idle, rewrite/b, step, rewrite/c], exporters: [out]}}}}',
  );
  const consumer = bench.receivers.get('in')!.logs!;
  await consumer.consume(logs(3));
  assert.deepEqual(bench.events, ['rewrite rewrite/a+rewrite/b', 'rewrite rewrite/c']);
  assert.equal(bench.taken.get('out')![0]!.itemCount, 5);
  await consumer.consume(logs(13));
  assert.equal(bench.taken.get('out')!.length, 1);
  await assert.rejects(consumer.consume(logs(0)), PermanentError);
});

test('a connector leads one signal into pipelines of others', async () => {
  const bench = new Bench();
  await bench.graph(
    '{receivers: {in: }, exporters: {out: }, connectors: {forward: }, service: {pipelines: {logs: {receivers: [in], exporters: [forward]}, metrics: {receivers: [forward], exporters: [out]}}}}',
  );
  await (bench.receivers.get('in')!.logs as Consumer).consume(logs(1));
  assert.equal(bench.taken.get('out')?.length, 1);
});

test('what is wrong with the shape is told together, with its places', async () => {
  const check = async (yaml: string, ...want: string[]) => {
    await assert.rejects(new Bench().graph(yaml), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.message.replaceAll(/ \(yaml::\d+:\d+\)/g, '').split('\n'), want);
      return true;
    });
  };
  const around = (connectors: string, pipelines: string) =>
    `{receivers: {in: }, exporters: {out: , only_metrics: , out/r: {refuse: true}, out/s: {refuse: true}}, connectors: ${connectors}, service: {pipelines: ${pipelines}}}`;
  await check(
    around('{}', '{logs: {receivers: [in], exporters: [only_metrics]}}'),
    'service::pipelines::logs::exporters::0: the exporter "only_metrics" does not support logs, only metrics',
  );
  await check(
    around('{forward: }', '{logs: {receivers: [in], exporters: [forward]}}'),
    'service::pipelines::logs::exporters::0: the connector "forward" is used as an exporter here but in no pipeline as a receiver',
  );
  await check(
    around('{forward: }', '{logs: {receivers: [forward], exporters: [out]}}'),
    'service::pipelines::logs::receivers::0: the connector "forward" is used as a receiver here but in no pipeline as an exporter',
  );
  await check(
    around('{forward: }', '{traces: {receivers: [in], exporters: [forward]}, metrics: {receivers: [forward], exporters: [out]}}'),
    'service::pipelines::traces::exporters::0: the connector "forward" is used as an exporter here but in no pipeline of a signal that fits (it leads traces to traces, logs to logs, logs to metrics) as a receiver',
    'service::pipelines::metrics::receivers::0: the connector "forward" is used as a receiver here but in no pipeline of a signal that fits (it leads traces to traces, logs to logs, logs to metrics) as an exporter',
  );
  await check(
    around(
      '{forward: , forward/2: }',
      '{logs/a: {receivers: [in, forward/2], exporters: [forward]}, logs/b: {receivers: [forward], exporters: [forward/2, out]}}',
    ),
    'service::pipelines::logs/a: cycle: connector "forward" (logs/a to logs/b) -> connector "forward/2" (logs/b to logs/a); data would go round for ever',
  );
  await check(around('{}', '{logs: {receivers: [in], exporters: [out/r, out/s]}}'), 'exporters::out/r::refuse: refused', 'exporters::out/s::refuse: refused');
});
