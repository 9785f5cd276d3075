/** Writes metrics into the built-in store, as the series that Prometheus would have of them. */
import type { Batch } from '#src/core/batch.ts';
import { defineExporter } from '#src/core/component.ts';
import { ConfigError, errorText, PermanentError, RetryableError } from '#src/core/errors.ts';
import { rulesOf } from '#src/helper/prometheus/names.ts';
import { DEFAULT_TENANT, isStore, type StoreExtension } from '#src/store/store.ts';
import type { Tenant } from '#src/store/tenant.ts';
import { configSchema } from './config.ts';
import { SeriesWriter } from './series_writer.ts';

/** One log line for faults of data in so many ms. */
const LOG_EVERY_MS = 10_000;

export default defineExporter({
  type: 'store',
  stability: { metrics: 'alpha' },
  configSchema,
  create({ id, config, host, telemetry, clock }) {
    const settings = {
      rules: rulesOf(config.translation_strategy, config.namespace),
      scopeInfo: !config.disable_scope_info,
      externalLabels: Object.entries(config.external_labels),
      keepScraped: true,
      targetInfo: config.target_info.enabled,
    };
    const sent = telemetry.counter('exporter_sent_metric_points', '{datapoints}', 'Number of metric points successfully sent to destination.');
    const failed = telemetry.counter(
      'exporter_send_failed_metric_points',
      '{datapoints}',
      'Number of metric points in failed attempts to send to destination.',
    );
    const dropped = telemetry.counter('exporter_store_dropped_samples', '{samples}', 'Number of samples that the store refused, by reason.');
    const attributes = { exporter: id },
      writers = new Map<string, { tenant: Tenant; writer: SeriesWriter }>();
    let store: StoreExtension | null = null,
      quietUntilMs = 0;

    const writerOf = (tenantId: string): { tenant: Tenant; writer: SeriesWriter } => {
      let entry = writers.get(tenantId);
      if (!entry) {
        if (!store) throw new RetryableError('the store is not open yet');
        const tenant = store.tenant(tenantId);
        entry = { tenant, writer: new SeriesWriter(tenant, settings) };
        writers.set(tenantId, entry);
      }
      return entry;
    };

    const report = ({ appending, untranslated, fault }: SeriesWriter): void => {
      const reasons = {
        out_of_order: appending.outOfOrder,
        duplicate_timestamp: appending.duplicates,
        too_old: appending.tooOld,
        not_translated: untranslated,
      };
      const faults = Object.entries(reasons).filter(([, count]) => count > 0);
      if (faults.length === 0) return;
      for (const [reason, count] of faults) dropped.add(count, { ...attributes, reason });
      if (clock.nowMs() < quietUntilMs) return;
      quietUntilMs = clock.nowMs() + LOG_EVERY_MS;
      telemetry.log.warn('The store did not take all samples of a batch.', { ...Object.fromEntries(faults), ...(fault && { first_fault: fault }) });
    };

    return {
      start() {
        const found = config.store === undefined ? [...host.extensions().values()].filter(isStore) : [host.extension(config.store)].filter(isStore);
        if (found.length !== 1)
          throw new ConfigError([
            config.store === undefined
              ? {
                  path: ['exporters', id],
                  message:
                    found.length === 0
                      ? 'no store runs; define the extension "store" and name it in service::extensions'
                      : `${found.length} stores run; name one with the key "store"`,
                }
              : {
                  path: ['exporters', id, 'store'],
                  message: `"${config.store}" is not a running store extension; define it under extensions and name it in service::extensions`,
                },
          ]);
        store = found[0]!;
      },
      async consume(batch: Batch) {
        try {
          const { tenant, writer } = writerOf(batch.context.tenant ?? DEFAULT_TENANT);
          writer.write(batch);
          report(writer);
          await tenant.commit();
        } catch (error) {
          failed.add(batch.itemCount, attributes);
          if (error instanceof PermanentError || error instanceof RetryableError) throw error;
          throw new RetryableError(`the store cannot write: ${errorText(error)}`, { cause: error });
        }
        sent.add(batch.itemCount, attributes);
        batch.free();
      },
    };
  },
});
