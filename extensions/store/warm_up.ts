/**
 * Half the cost of the first requests is compilation. A made-up tenant in a temporary folder takes some writes before the program is ready,
 * so that the first real ones are fast: about 60 ms here instead of there.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encodeLabels } from '#src/store/labels.ts';
import { RemoteWriteReader } from '#src/store/remote_write.ts';
import { Tenant } from '#src/store/tenant.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const SERIES = 200;
const ROUNDS = 60;

export function warmUp(): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'penstock-'));
  const limits = { max_global_series_per_user: 0, max_label_names_per_series: 30, max_label_name_length: 1024, max_label_value_length: 2048 };
  const tenant = new Tenant(
    'warm-up',
    directory,
    { retentionMs: Infinity, retentionBytes: 0, compressWal: false, fsync: false, maxExemplars: 0, limits },
    silent,
  );
  try {
    const reader = new RemoteWriteReader(tenant);
    const { body, samplesAt } = makeRequest();
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < SERIES; i++) {
        body.writeDoubleLE(i % 3 === 0 ? i : i * round * 1.1, samplesAt[i]!);
        putTime(body, samplesAt[i]! + 9, 1_700_000_000_000 + round * 15_000);
      }
      reader.writePlain(body, 1_800_000_000_000);
      void tenant.commit();
    }
  } finally {
    void tenant.close().finally(() => fs.rmSync(directory, { recursive: true, force: true }));
  }
}

/** A request of one sample a series, and where the values are in it; behind a value stands one byte, then the time in six. */
function makeRequest(): { body: Buffer; samplesAt: number[] } {
  const parts: Uint8Array[] = [];
  const samplesAt: number[] = [];
  let size = 0;
  for (let i = 0; i < SERIES; i++) {
    const labels = encodeLabels([
      '__name__',
      `warm_up_${i % 10}`,
      'instance',
      `10.0.0.${i}:9100`,
      'job',
      'warm-up',
      'path',
      '/a/path/that/makes/the/label/set/longer/than/a/hundred/bytes',
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
