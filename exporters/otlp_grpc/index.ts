import type { Batch, Signal } from '#src/core/batch.ts';
import { defineExporter } from '#src/core/component.ts';
import { exporterHelper } from '#src/helper/exporter/exporter.ts';
import { clientPackedUse, packedBody } from '#src/net/compressed/pass_through.ts';
import { GrpcClient } from '#src/net/grpc/client.ts';
import { EXPORT_PATHS, USER_AGENT } from '#src/net/grpc/otlp_service.ts';
import { decodePartialSuccess } from '#src/net/grpc/status.ts';
import { configSchema } from './config.ts';

/** What the Collector's log calls the records that the backend did not take. */
const DROPPED: Readonly<Record<Signal, string>> = { traces: 'dropped_spans', metrics: 'dropped_data_points', logs: 'dropped_log_records' };

/** Sends batches as they are, in one call each, over gRPC. Which failures are tried again is for the status to say (src/net/grpc/status.ts). */
export default defineExporter({
  type: 'otlp_grpc',
  aliases: ['otlp'],
  stability: { traces: 'stable', metrics: 'stable', logs: 'stable' },
  configSchema,
  create(context) {
    const { config, telemetry, clock, host } = context;
    let client: GrpcClient | null = null;
    return exporterHelper({
      context,
      settings: config,
      start() {
        client = new GrpcClient({ settings: config, log: telemetry.log, clock, userAgent: USER_AGENT, host });
        client.start();
      },
      async send(batch: Batch) {
        const answer = await client!.call(EXPORT_PATHS[batch.signal], batch.parts, batch.sizeBytes, {
          timeoutMs: config.timeout,
          encoded: await packedBody(batch, config),
        });
        if (answer.length === 0) return;
        const partial = decodePartialSuccess(answer);
        if (partial !== null) telemetry.log.warn('Partial success response', { message: partial.message, [DROPPED[batch.signal]]: partial.rejected });
      },
      packedUse: (coding) => clientPackedUse(coding, config),
      async shutdown() {
        await client?.close();
        client = null;
      },
    });
  },
});
