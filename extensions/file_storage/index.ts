/** Durable maps for queues and positions: one folder of log files for each component that asks. */
import fs from 'node:fs';
import path from 'node:path';
import { defineExtension } from '#src/core/component.ts';
import { errorText } from '#src/core/errors.ts';
import type { StorageClient, StorageExtension } from '#src/core/storage.ts';
import { LogStore } from './client.ts';
import { configSchema } from './config.ts';
import { removeUnfinished } from './files.ts';
import { acquireLock } from './lock.ts';

export default defineExtension({
  type: 'file_storage',
  stability: 'beta',
  configSchema,
  create({ config, telemetry, clock }) {
    const open = new Set<LogStore>();
    const { compaction } = config;
    let stopChecking = (): void => {};
    const compact = async (store: LogStore): Promise<void> => {
      try {
        await store.compact();
      } catch (error) {
        telemetry.log.error('A compaction failed; the files are as they were.', { path: store.folder, error: errorText(error) });
      }
    };
    const checkRebound = (): void => {
      for (const store of open) {
        const { totalBytes, liveBytes } = store.usage;
        if (totalBytes >= compaction.rebound_needed_threshold_mib << 20 && liveBytes <= compaction.rebound_trigger_threshold_mib << 20) void compact(store);
      }
    };
    const mode = Number.parseInt(config.directory_permissions, 8);
    const extension: StorageExtension & { start(): void; shutdown(): Promise<void> } = {
      start() {
        const folders = compaction.directory === '' ? [config.directory] : [config.directory, compaction.directory];
        if (config.create_directory) for (const folder of folders) fs.mkdirSync(folder, { recursive: true, mode });
        if (compaction.cleanup_on_start && compaction.directory !== '') removeUnfinished(compaction.directory);
        if (compaction.on_rebound) stopChecking = clock.every(compaction.check_interval, checkRebound);
      },
      async storageClient(component, name = ''): Promise<StorageClient> {
        const folder = path.join(config.directory, folderName(component, name));
        fs.mkdirSync(folder, { recursive: true, mode });
        const release = await acquireLock(path.join(folder, 'lock'), config.timeout);
        const store: LogStore = LogStore.open(folder, {
          fsync: config.fsync,
          log: telemetry.log,
          compactionFolder: compaction.directory || undefined,
          maxTransactionSize: compaction.max_transaction_size,
          onClose: () => {
            open.delete(store);
            release();
          },
        });
        open.add(store);
        if (compaction.on_start) await compact(store);
        return store;
      },
      async shutdown() {
        stopChecking();
        for (const store of [...open]) await store.close();
      },
    };
    return extension;
  },
});

/** "receiver:file_log/app" and "traces" as one name; characters a path may not have become "~" and their number. */
export function folderName(component: string, name: string): string {
  const safe = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, (c) => `~${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`);
  const [kind, id] = component.includes(':') ? [component.slice(0, component.indexOf(':')), component.slice(component.indexOf(':') + 1)] : ['', component];
  const [type, ...rest] = id.split('/');
  return [kind, type!, rest.join('/'), name].map(safe).join('_');
}
