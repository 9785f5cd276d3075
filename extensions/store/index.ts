import { defineExtension } from '#src/core/component.ts';
import { ConfigError } from '#src/core/errors.ts';
import { Store } from '#src/store/store.ts';
import type { StoreExtension } from '#src/store/store.ts';
import type { Tenant } from '#src/store/tenant.ts';
import { configSchema } from './config.ts';
import { warmUp } from './warm_up.ts';

/** Opens the long-term store for exporters/store and extensions/store_api, which find it through the host. */
export default defineExtension({
  type: 'store',
  stability: 'alpha',
  configSchema,
  create({ config, telemetry, clock }) {
    const { limits, overrides } = config;
    const store = new Store(
      config.directory,
      (tenant) => ({
        retentionMs: config.retention_time,
        retentionBytes: config.retention_size,
        compressWal: config.wal_compression === 'snappy',
        fsync: config.fsync,
        maxExemplars: config.max_exemplars,
        limits: { ...limits, ...overrides[tenant] },
      }),
      telemetry.log,
      clock,
    );
    const stopGauges: (() => void)[] = [];
    const sum = (read: (tenant: ReturnType<Store['storeStatus']>['tenants'][number]) => number): number =>
      store.storeStatus().tenants.reduce((total, tenant) => total + read(tenant), 0);
    const extension: StoreExtension & { start(): void; shutdown(): Promise<void> } = {
      start() {
        warmUp();
        try {
          store.open();
        } catch (cause) {
          throw new ConfigError(`store::directory: "${config.directory}" cannot be opened`, { cause });
        }
        stopGauges.push(
          telemetry.gauge('store_head_series', '{series}', () => sum((tenant) => tenant.series), {}, 'Series in memory.'),
          telemetry.gauge('store_head_samples_appended', '{sample}', () => sum((tenant) => tenant.appendedSamples), {}, 'Samples appended since the start.'),
          telemetry.gauge('store_wal_size', 'By', () => sum((tenant) => tenant.walBytes), {}, 'Size of the write-ahead logs.'),
          telemetry.gauge('store_blocks', '{block}', () => sum((tenant) => tenant.blocks.length), {}, 'Blocks on disk.'),
        );
      },
      async shutdown() {
        for (const stop of stopGauges.splice(0)) stop();
        await store.close();
      },
      tenant: (id: string): Tenant => store.tenant(id),
      existingTenant: (id: string) => store.existingTenant(id),
      storeStatus: () => store.storeStatus(),
    };
    return extension;
  },
});
