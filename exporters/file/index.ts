/** Writes telemetry to a file: OTLP JSON, a message a line, or OTLP protobuf. */
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { defineExporter } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import { formatBatchJson } from '#src/data/json_write.ts';
import { configSchema } from './config.ts';
import { FileWriter } from './file_writer.ts';

const LINE_FEED = Buffer.from('\n');

export default defineExporter({
  type: 'file',
  stability: { traces: 'alpha', metrics: 'alpha', logs: 'alpha' },
  configSchema,
  create({ config, telemetry, clock }) {
    let writer: FileWriter | null = null;
    let stopFlushing = (): void => {};
    const isFramed = config.format === 'proto' || config.compression === 'zstd';
    return {
      start() {
        if (config.create_directory)
          fs.mkdirSync(path.dirname(config.path), { recursive: true, mode: Number.parseInt(config.directory_permissions ?? '0755', 8) });
        writer = new FileWriter(config, () => clock.nowMs());
        if (config.flush_interval <= 0) return;
        stopFlushing = clock.every(config.flush_interval, () => {
          try {
            writer?.flush();
          } catch (error) {
            telemetry.log.error('Writing the file failed; the data that waited is lost.', { path: config.path, error: (error as Error).message });
          }
        });
      },
      async consume(batch) {
        if (writer === null) throw new RetryableError('the file exporter is not running');
        let message: Uint8Array = config.format === 'json' ? Buffer.from(formatBatchJson(batch)) : batch.bytes;
        if (config.compression === 'zstd') message = zlib.zstdCompressSync(message);
        try {
          if (isFramed) {
            const size = Buffer.allocUnsafe(4);
            size.writeUInt32BE(message.length);
            writer.write([size, message]);
          } else writer.write([message, LINE_FEED]);
          if (config.flush_interval <= 0) writer.flush();
        } catch (error) {
          throw new RetryableError(`writing ${config.path} failed`, { cause: error });
        }
      },
      shutdown() {
        stopFlushing();
        writer?.close();
        writer = null;
      },
    };
  },
});
