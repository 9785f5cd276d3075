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
    const labels = Array.from({ length: SERIES }, (_, i) => encodeLabels(['__name__', `warm_up_${i % 10}`, 'instance', `10.0.0.${i}:9100`, 'job', 'warm-up']));
    for (let round = 0; round < ROUNDS; round++) {
      const parts = labels.map((label, i) => timeSeries(label, 1_700_000_000_000 + round * 15_000, i % 3 === 0 ? i : i * round * 1.1));
      reader.writePlain(Buffer.concat(parts), 1_800_000_000_000);
      void tenant.commit();
    }
  } finally {
    void tenant.close().finally(() => fs.rmSync(directory, { recursive: true, force: true }));
  }
}

/** One TimeSeries with one sample as field 1. */
function timeSeries(labels: Uint8Array, timeMs: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(3 + labels.length + 18);
  const size = labels.length + 18;
  bytes.set([10, (size & 127) | 128, size >> 7], 0);
  bytes.set(labels, 3);
  let pos = 3 + labels.length;
  bytes.set([18, 16, 9], pos);
  bytes.writeDoubleLE(value, pos + 3);
  bytes[pos + 11] = 16;
  pos += 12;
  for (let rest = timeMs; rest > 127; rest = Math.floor(rest / 128)) bytes[pos++] = (rest % 128) | 128;
  bytes[pos] = Math.floor(timeMs / 2 ** 35);
  return bytes;
}
