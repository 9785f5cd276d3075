/**
 * `node --no-maglev src/net/compression.bench.ts [request.bin]`: what compressing and decompressing a request of telemetry costs on the main thread and by
 * way of the pool, what each level and coding gives, and what joining gzip members costs beside compressing their content again.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { telemetryRequest } from '#test/load/telemetry.ts';
import { joinGzip } from './compressed/gzip_join.ts';
import { decodeLz4, encodeLz4 } from './compressed/lz4.ts';

const file = process.argv[2];
const request = file === undefined ? telemetryRequest('traces', 10, 100) : fs.readFileSync(file);

async function timed(name: string, sizeBytes: number, work: () => unknown): Promise<void> {
  const rounds = Math.max(30, Math.floor(4e6 / request.length));
  for (let i = 0; i < rounds / 3; i++) await work();
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await work();
  const { user, system } = process.cpuUsage(before);
  console.log(`${name.padEnd(34)} ${((user + system) / rounds).toFixed(0).padStart(6)} us   ${sizeBytes} bytes`);
}

const gzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);
for (const size of [4096, 16_384, 65_536, request.length]) {
  const plain = request.subarray(0, size);
  const options = { level: 3, chunkSize: (size >> 1) + 64 };
  const packed = zlib.gzipSync(plain, options);
  await timed(`gzip of ${plain.length}, main thread`, packed.length, () => zlib.gzipSync(plain, options));
  await timed(`gzip of ${plain.length}, pool`, packed.length, () => gzip(plain, options));
  await timed(`gunzip of ${packed.length}, main thread`, plain.length, () => zlib.gunzipSync(packed, { chunkSize: size + 64 }));
  await timed(`gunzip of ${packed.length}, pool`, plain.length, () => gunzip(packed, { chunkSize: size + 64 }));
}
for (const level of [1, 3, 5, 6, 9]) await timed(`gzip level ${level}`, zlib.gzipSync(request, { level }).length, () => zlib.gzipSync(request, { level }));
for (const level of [1, 3, 6]) {
  const options = { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } };
  await timed(`zstd level ${level}`, zlib.zstdCompressSync(request, options).length, () => zlib.zstdCompressSync(request, options));
}
const lz4 = encodeLz4(request);
await timed('lz4', lz4.length, () => encodeLz4(request));
await timed('lz4 back', request.length, () => decodeLz4(lz4, request.length));
const member = zlib.gzipSync(request);
await timed('joining it with itself, each', joinGzip([member, member])!.length >> 1, () => joinGzip([member]));
