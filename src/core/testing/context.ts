/** What a component is created with, for tests: counters that can be read, a log that is kept, a host without extensions. */
import type { Clock } from '#src/core/clock.ts';
import { systemClock } from '#src/core/clock.ts';
import type { CreateContext, Host } from '#src/core/component.ts';
import type { Log, Telemetry, TelemetryAttributes } from '#src/core/telemetry.ts';

export class RecordedTelemetry implements Telemetry {
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, () => number>();
  readonly lines: string[] = [];
  readonly log: Log;

  constructor() {
    const write = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
      void this.lines.push(`${level} ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`);
    this.log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }

  counter(name: string) {
    return { add: (count: number, _attributes?: TelemetryAttributes) => void this.counts.set(name, (this.counts.get(name) ?? 0) + count) };
  }

  histogram(name: string) {
    return { record: (_value: number) => void this.counts.set(name, (this.counts.get(name) ?? 0) + 1) };
  }

  gauge(name: string, _unit: string, read: () => number) {
    this.gauges.set(name, read);
    return () => void this.gauges.delete(name);
  }
}

export function testHost(extensions: ReadonlyMap<string, unknown> = new Map()): Host {
  const published = new Map<string, (() => unknown)[]>();
  return {
    extension: (id) => extensions.get(id),
    extensions: () => extensions,
    fatal(error) {
      throw error;
    },
    pipelines: () => [],
    publish: (name, read) => void published.set(name, [...(published.get(name) ?? []), read]),
    published: (name) => (published.get(name) ?? []).map((read) => read()),
  };
}

export function testContext<Config>(
  config: Config,
  options: { id?: string; clock?: Clock; host?: Host } = {},
): CreateContext<Config> & { readonly telemetry: RecordedTelemetry } {
  return { id: options.id ?? 'test', config, telemetry: new RecordedTelemetry(), clock: options.clock ?? systemClock, host: options.host ?? testHost() };
}
