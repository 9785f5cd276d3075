import type { Batch, Signal } from '#src/core/batch.ts';
import { defineExporter } from '#src/core/component.ts';
import { ConfigError } from '#src/core/errors.ts';
import { formatOtlpJson } from '#src/data/json_write.ts';
import { exporterHelper } from '#src/helper/exporter/exporter.ts';
import { clientPackedUse, packedBody } from '#src/net/compressed/pass_through.ts';
import { USER_AGENT } from '#src/net/grpc/otlp_service.ts';
import { HttpClient } from '#src/net/http_client.ts';
import { configSchema, type OtlpHttpConfig } from './config.ts';
import { errorOfAnswer, partialSuccessOf } from './answer.ts';

const DROPPED: Readonly<Record<Signal, string>> = { traces: 'dropped_spans', metrics: 'dropped_data_points', logs: 'dropped_log_records' };

/** Sends each batch in one POST, as the bytes it is or as JSON. */
export default defineExporter({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  stability: { traces: 'stable', metrics: 'stable', logs: 'stable' },
  configSchema,
  create(context) {
    const { config, telemetry, clock, signals, host } = context;
    const urls = new Map(signals.map((signal) => [signal, signalUrl(config, signal)]));
    const json = config.encoding === 'json';
    const headers = { 'content-type': json ? 'application/json' : 'application/x-protobuf' };
    // Who asks for a level wants that, and not what a sender used.
    const passing = !json && config.compression_params.level === 0;
    let client: HttpClient | null = null;
    return exporterHelper({
      context,
      settings: config,
      start() {
        client = new HttpClient({ settings: config, userAgent: USER_AGENT, host });
      },
      async send(batch: Batch) {
        const url = urls.get(batch.signal)!;
        const answer = await client!.send({
          method: 'POST',
          url,
          headers,
          parts: json ? [Buffer.from(formatOtlpJson(batch.signal, batch.bytes))] : batch.parts,
          encoded: passing ? await packedBody(batch, config) : null,
        });
        if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(answer, url, clock.nowMs());
        const partial = partialSuccessOf(answer);
        if (partial !== null) telemetry.log.warn('Partial success response', { message: partial.message, [DROPPED[batch.signal]]: partial.rejected });
      },
      packedUse: (coding) => (passing ? clientPackedUse(coding, config) : 'none'),
      async shutdown() {
        await client?.close();
        client = null;
      },
    });
  },
});

function signalUrl(config: OtlpHttpConfig, signal: Signal): string {
  const own = config[`${signal}_endpoint`];
  if (own !== '') return own;
  if (config.endpoint === '') throw new ConfigError([{ path: [`${signal}_endpoint`], message: `either endpoint or ${signal}_endpoint must be specified` }]);
  return `${config.endpoint}${config.endpoint.endsWith('/') ? '' : '/'}v1/${signal}`;
}
