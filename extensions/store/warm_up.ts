/**
 * Half the cost of the first requests is compilation. A made-up tenant in a temporary folder takes some writes before the program is ready,
 * so that the first real ones are fast: a first request of 5,000 new series takes 95 ms of CPU instead of 230, for 70 ms more before.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encodeLabels } from '#src/store/labels.ts';
import { RemoteWriteReader } from '#src/store/remote_write.ts';
import { Tenant, type TenantOptions } from '#src/store/tenant.ts';
import { snappyEncode } from '#src/wire/snappy.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const SERIES = 200;
/** Requests whose series are new, then those that find them there. */
const NEW_ROUNDS = 10;
const ROUNDS = 24;
/** One more than a chunk takes, so that some are closed. */
const FILLING = 130;
const FILLED = 40;

const limits = { max_global_series_per_user: 0, max_label_names_per_series: 30, max_label_name_length: 1024, max_label_value_length: 2048 };
const options: TenantOptions = { retentionMs: Infinity, retentionBytes: 0, compressWal: false, fsync: false, maxExemplars: 0, limits };

/** Compiled code is thrown away when the last object of a kind that it knows is gone: here is one of each. */
const kept: unknown[] = [];

export function warmUp(): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'penstock-'));
  const tenants = ['all', 'one'].map((id) => new Tenant(id, path.join(directory, id), options, silent));
  try {
    const [many, one] = tenants.map((tenant) => new RemoteWriteReader(tenant)) as [RemoteWriteReader, RemoteWriteReader];
    let { body, samplesAt } = makeRequest(0);
    let timeMs = 1_700_000_000_000;
    for (let round = 0; round < ROUNDS; round++, timeMs += 15_000) {
      if (round < NEW_ROUNDS) ({ body, samplesAt } = makeRequest(round));
      for (let i = 0; i < SERIES; i++) {
        body.writeDoubleLE(i % 3 === 0 ? i : i * round * 1.1, samplesAt[i]!);
        putTime(body, samplesAt[i]! + 9, timeMs);
      }
      // Compressed, as requests are: the reader is then compiled for the kind of array that it will see.
      many.write(snappyEncode(body), body.length, 1_800_000_000_000);
      void tenants[0]!.commit();
    }
    for (let ref = 1; ref <= FILLED; ref++) for (let i = 0; i < FILLING; i++) tenants[0]!.append(ref, timeMs + i * 15_000, 0, 0x40000000 + i);
    void tenants[0]!.commit();
    kept.push(tenants[1], one);
  } finally {
    void Promise.all(tenants.map((tenant) => tenant.close())).finally(() => fs.rmSync(directory, { recursive: true, force: true }));
  }
}

/** A request of one sample a series, and where the values are in it; behind a value stands one byte, then the time in six. */
function makeRequest(instance: number): { body: Buffer; samplesAt: number[] } {
  const parts: Uint8Array[] = [];
  const samplesAt: number[] = [];
  let size = 0;
  for (let i = 0; i < SERIES; i++) {
    const labels = encodeLabels([
      '__name__',
      `warm_up_${i % 10}`,
      'instance',
      `10.0.${instance}.${i % 20}:9100`,
      'job',
      'warm-up',
      'path',
      `/a/path/that/makes/the/label/set/longer/than/a/hundred/bytes/${i}`,
    ]);
    const length = labels.length + 18; // More than 127, so two bytes.
    parts.push(Uint8Array.of(10, (length & 127) | 128, length >> 7), labels, Uint8Array.of(18, 16, 9, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0));
    samplesAt.push(size + 3 + labels.length + 3);
    size += 3 + length;
  }
  return { body: Buffer.concat(parts), samplesAt };
}

function putTime(bytes: Uint8Array, pos: number, timeMs: number): void {
  let rest = timeMs;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes[pos++] = (rest % 128) | 128;
  bytes[pos] = rest;
}
