/** Makes remote-write requests and throw-away tenants for tests and benchmarks. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { newColumns } from '#src/core/series.ts';
import type { Log } from '#src/core/telemetry.ts';
import { encodeLabels } from '#src/store/labels.ts';
import { Tenant } from '#src/store/tenant.ts';
import type { TenantOptions } from '#src/store/tenant.ts';

export type Sample = readonly [timeMs: number, value: number];
/** The marker as bits: [low, high]. */
export const STALE: readonly [number, number] = [2, 0x7ff00000];

export function field(tag: number, body: Uint8Array): Buffer {
  const head: number[] = [tag];
  let size = body.length;
  for (; size > 127; size = Math.floor(size / 128)) head.push((size % 128) | 128);
  head.push(size);
  return Buffer.concat([Buffer.from(head), body]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export function sampleField([timeMs, value]: Sample, tag = 18): Buffer {
  const bits = Buffer.alloc(9);
  bits[0] = 9;
  bits.writeDoubleLE(value, 1);
  return field(tag, Buffer.concat([bits, Buffer.from([16]), varint(timeMs)]));
}

/** A WriteRequest of version 1.0; labels are [name, value, ...], sorted. */
export function writeRequest(series: readonly { readonly labels: readonly string[]; readonly samples: readonly Sample[] }[]): Buffer {
  return Buffer.concat(series.map(({ labels, samples }) => field(10, Buffer.concat([encodeLabels(labels), ...samples.map((sample) => sampleField(sample))]))));
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export const DEFAULT_OPTIONS: TenantOptions = {
  retentionMs: Infinity,
  retentionBytes: 0,
  compressWal: false,
  fsync: false,
  maxExemplars: 100,
  limits: { max_global_series_per_user: 0, max_label_names_per_series: 30, max_label_name_length: 1024, max_label_value_length: 2048 },
};

export function temporaryDirectory(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'penstock-store-'));
}

export function openTenant(directory: string, options: Partial<TenantOptions> = {}, log: Log = silentLog): Tenant {
  return new Tenant('test', directory, { ...DEFAULT_OPTIONS, ...options }, log);
}

/** All samples of all series in the range, by label text: [time, low bits, high bits] each. */
export async function dump(tenant: Tenant, minTimeMs = -1e15, maxTimeMs = 1e15): Promise<Map<string, number[][]>> {
  const querier = tenant.querier(minTimeMs, maxTimeMs);
  const set = await querier.select([], minTimeMs, maxTimeMs);
  const columns = newColumns(16);
  const all = new Map<string, number[][]>();
  for (let i = 0; i < set.length; i++) {
    columns.count = 0;
    set.read(i, minTimeMs, maxTimeMs, columns);
    all.set(
      set.labels(i).join(' '),
      Array.from({ length: columns.count }, (_, k) => [columns.times[k]!, columns.valueBits[2 * k]! | 0, columns.valueBits[2 * k + 1]! | 0]),
    );
  }
  querier.close();
  return all;
}
