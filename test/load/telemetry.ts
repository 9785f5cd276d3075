/** The requests of the load: resources with five attributes, spans and log records with eight, points with three. Nothing here is random. */
import { createWriteStream } from 'node:fs';
import type { Signal } from '#src/core/batch.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, string | number | boolean>> };
const text = (key: string, value: string): Attribute => ({ key, value: { stringValue: value } });

function resourceAttributes(r: number): Attribute[] {
  return [
    text('service.name', `checkout-${r}`),
    text('service.namespace', 'shop'),
    text('service.version', '1.4.2'),
    text('host.name', `node-${r % 4}`),
    text('telemetry.sdk.language', 'nodejs'),
  ];
}

function recordAttributes(i: number): Attribute[] {
  return [
    text('http.request.method', ['GET', 'POST', 'PUT'][i % 3]!),
    text('url.path', `/api/v1/items/${i % 97}`),
    { key: 'http.response.status_code', value: { intValue: `${200 + (i % 5) * 100}` } },
    text('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'),
    text('client.address', `10.${i % 7}.${i % 251}.${i % 13}`),
    { key: 'error', value: { boolValue: i % 11 === 0 } },
    { key: 'duration.ratio', value: { doubleValue: (i % 100) / 100 } },
    text('thread.name', `worker-${i % 16}`),
  ];
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

function records(signal: Signal, first: number, count: number, nano: string): object {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  if (signal === 'traces') {
    const spans = numbers.map((i) => ({
      traceId: hex(i + 1, 32),
      spanId: hex(i + 1, 16),
      parentSpanId: hex(i + 2, 16),
      name: `GET /api/v1/items/${i % 97}`,
      kind: 2,
      startTimeUnixNano: nano,
      endTimeUnixNano: nano,
      attributes: recordAttributes(i),
    }));
    return { scope: { name: 'lib' }, spans };
  }
  if (signal === 'logs') {
    const logRecords = numbers.map((i) => ({
      timeUnixNano: nano,
      severityText: 'INFO',
      severityNumber: 9,
      body: { stringValue: `INFO request handled method=GET path=/api/v1/items/${i % 97} status=200 took=${i % 500}ms user=${i}` },
      attributes: recordAttributes(i),
    }));
    return { scope: { name: 'lib' }, logRecords };
  }
  const metrics = [];
  for (let m = 0; m < count; m += 10) {
    const dataPoints = numbers.slice(m, m + 10).map((i) => ({
      startTimeUnixNano: nano,
      timeUnixNano: nano,
      asDouble: i * 1.5,
      attributes: [text('method', 'GET'), text('path', `/api/${i % 97}`), text('instance', `i-${i % 10}`)],
    }));
    metrics.push({ name: `http.server.metric_${m / 10}`, sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints } });
  }
  return { scope: { name: 'lib' }, metrics };
}

const GROUPS = { traces: ['resourceSpans', 'scopeSpans'], metrics: ['resourceMetrics', 'scopeMetrics'], logs: ['resourceLogs', 'scopeLogs'] } as const;

/** An export request as protobuf. */
export function telemetryRequest(signal: Signal, resources: number, recordsEach: number): Buffer {
  const nano = `${Date.now()}000000`;
  const [group, scoped] = GROUPS[signal];
  const groups = Array.from({ length: resources }, (_, r) => ({
    resource: { attributes: resourceAttributes(r) },
    [scoped]: [records(signal, r * recordsEach, recordsEach, nano)],
  }));
  return parseOtlpJson(signal, JSON.stringify({ [group]: groups }));
}

/** A container's log as containerd writes it: JSON bodies of an access log. */
export async function writeContainerLog(path: string, lines: number): Promise<void> {
  const out = createWriteStream(path);
  for (let i = 0; i < lines; i++) {
    const at = new Date(1_795_000_000_000 + i).toISOString().replace('Z', '123456Z');
    const body = {
      level: i % 5 ? 'info' : 'error',
      ts: at,
      msg: 'request handled',
      method: 'GET',
      path: `/api/v1/items/${i % 97}`,
      status: 200 + (i % 5) * 100,
      took_ms: (i % 500) / 4,
      user: `u${i}`,
    };
    if (!out.write(`${at} ${i % 9 ? 'stdout' : 'stderr'} F ${JSON.stringify(body)}\n`)) await new Promise<void>((resolve) => void out.once('drain', resolve));
  }
  await new Promise<void>((resolve) => void out.end(resolve));
}
