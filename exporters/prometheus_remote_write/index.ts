/**
 * Sends metrics by Prometheus remote write. A batch is translated once; of its requests those that failed for a passing reason are sent again,
 * and not those that were taken.
 */
import type { Batch } from '#src/core/batch.ts';
import { defineExporter } from '#src/core/component.ts';
import { errorText, PermanentError, RetryableError } from '#src/core/errors.ts';
import { exporterHelper } from '#src/helper/exporter/exporter.ts';
import { labelName, rulesOf, type TranslationStrategy } from '#src/helper/prometheus/names.ts';
import { USER_AGENT } from '#src/net/grpc/otlp_service.ts';
import { type HttpAnswer, HttpClient, retryAfterMs } from '#src/net/http_client.ts';
import { BatchTranslator } from './batch_translator.ts';
import { configSchema, MESSAGES, type RemoteWriteConfig } from './config.ts';
import type { Version } from './write_request.ts';

const HEADERS: Readonly<Record<Version, Readonly<Record<string, string>>>> = {
  1: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
  2: {
    'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '2.0.0',
  },
};
/** What an answer says is shown as far as that. */
const SHOWN_CHARACTERS = 1024;

/** Requests of a batch that were not taken yet. */
interface Unsent {
  requests: readonly Buffer[];
  /** Why some request was dropped for good. */
  fault: PermanentError | null;
}

export default defineExporter({
  type: 'prometheus_remote_write',
  aliases: ['prometheusremotewrite'],
  stability: { metrics: 'beta' },
  configSchema,
  create(context) {
    const { id, config, telemetry, clock, host } = context;
    const { remote_write_queue: queue } = config,
      version: Version = config.protobuf_message === MESSAGES[1] ? 2 : 1;
    const translator = new BatchTranslator({
      ...translationOf(config),
      version,
      targetInfo: config.target_info.enabled,
      sendMetadata: config.send_metadata,
      maxBatchBytes: config.max_batch_size_bytes,
    });
    const attributes = { exporter: id, endpoint: config.endpoint };
    const failed = telemetry.counter(
      'exporter_prometheusremotewrite_failed_translations',
      '1',
      'Number of translation operations that failed to translate metrics from Otel to Prometheus',
    );
    const translated = telemetry.counter(
      'exporter_prometheusremotewrite_translated_time_series',
      '1',
      'Number of Prometheus time series that were translated from OTel metrics',
    );
    const sent = telemetry.counter(
      'exporter_prometheusremotewrite_sent_batches',
      '{batch}',
      'Number of remote write request batches sent to the remote write endpoint regardless of success or failure',
    );
    const parallel = Math.max(1, config.max_batch_request_parallelism ?? queue.num_consumers),
      unsent = new WeakMap<Batch, Unsent>();
    let client: HttpClient | null = null;

    const translate = (batch: Batch): Unsent => {
      const requests = translator.translate(batch);
      translated.add(translator.seriesCount, attributes);
      if (translator.untranslated > 0) {
        failed.add(1, attributes);
        telemetry.log.debug('Some metrics could not be translated; the others are sent.', { points: translator.untranslated, first_fault: translator.fault });
      }
      return { requests, fault: null };
    };

    const sendOne = async (body: Buffer): Promise<void> => {
      sent.add(1, attributes);
      const answer = await client!.send({ method: 'POST', url: config.endpoint, headers: HEADERS[version], parts: [body] });
      if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(answer, config.endpoint, clock.nowMs());
    };

    return exporterHelper({
      context,
      settings: {
        timeout: config.timeout,
        retry_on_failure: config.retry_on_failure,
        // One batch at a time: a series' samples must arrive in order.
        sending_queue: {
          enabled: queue.enabled,
          num_consumers: 1,
          queue_size: Math.max(1, queue.queue_size),
          sizer: 'requests',
          block_on_overflow: false,
          wait_for_result: false,
          storage: undefined,
          batch: undefined,
        },
      },
      start() {
        client = new HttpClient({ settings: config, userAgent: USER_AGENT, host });
      },
      async send(batch: Batch) {
        let state = unsent.get(batch);
        if (state === undefined) unsent.set(batch, (state = translate(batch)));
        const { requests } = state,
          left: Buffer[] = [];
        let passing: RetryableError | null = null,
          next = 0;
        const work = async (): Promise<void> => {
          while (next < requests.length) {
            const request = requests[next++]!;
            try {
              await sendOne(request);
            } catch (error) {
              if (error instanceof RetryableError) {
                passing = error;
                left.push(request);
              } else state.fault ??= error instanceof PermanentError ? error : new PermanentError(errorText(error), { cause: error });
            }
          }
        };
        await Promise.all(Array.from({ length: Math.min(parallel, requests.length) }, work));
        state.requests = left;
        if (passing !== null) throw passing;
        unsent.delete(batch);
        if (state.fault !== null) throw state.fault;
      },
      async shutdown() {
        await client?.close();
        client = null;
      },
    });
  },
});

function translationOf(config: RemoteWriteConfig) {
  const { resource_to_telemetry_conversion: conversion } = config;
  const strategy: TranslationStrategy =
    config.translation_strategy || (config.add_metric_suffixes ? 'UnderscoreEscapingWithSuffixes' : 'UnderscoreEscapingWithoutSuffixes');
  const plain = rulesOf('UnderscoreEscapingWithSuffixes');
  return {
    rules: rulesOf(strategy, config.namespace),
    scopeInfo: !config.disable_scope_info,
    externalLabels: Object.entries(config.external_labels).map(([name, value]) => [labelName(name, plain), value] as const),
    keepScraped: false,
    resourceLabels: !conversion.enabled ? ('none' as const) : conversion.exclude_service_attributes ? ('without_service' as const) : ('all' as const),
  };
}

/** Servers that fail or are busy may take it later; every other answer is final, as remote write wants it. */
function errorOfAnswer(answer: HttpAnswer, url: string, nowMs: number): PermanentError | RetryableError {
  const said = answer.body.subarray(0, SHOWN_CHARACTERS).toString('utf8').trim();
  const text = `remote write request to ${url} failed with HTTP status ${answer.status}${said ? `: ${said}` : ''}`;
  if (answer.status < 500 && answer.status !== 429) return new PermanentError(text);
  return new RetryableError(text, {
    retryAfterMs: Math.max(0, retryAfterMs(answer.headers, nowMs)),
    reason: answer.status === 429 ? 'exhausted' : 'unavailable',
  });
}
