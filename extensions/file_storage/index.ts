/** Durable maps for queues and positions: one folder of log files for each component that asks. */
import fs from 'node:fs';
import path from 'node:path';
import { defineExtension } from '#src/core/component.ts';
import type { StorageClient, StorageExtension } from '#src/core/storage.ts';
import { LogStore } from './client.ts';
import { configSchema } from './config.ts';
import { acquireLock } from './lock.ts';

export default defineExtension({
  type: 'file_storage',
  stability: 'beta',
  configSchema,
  create({ config, telemetry }) {
    const open = new Set<LogStore>();
    const mode = Number.parseInt(config.directory_permissions, 8);
    const extension: StorageExtension & { start(): void; shutdown(): Promise<void> } = {
      start() {
        if (config.create_directory) fs.mkdirSync(config.directory, { recursive: true, mode });
      },
      async storageClient(component, name = ''): Promise<StorageClient> {
        const folder = path.join(config.directory, folderName(component, name));
        fs.mkdirSync(folder, { recursive: true, mode });
        const release = await acquireLock(path.join(folder, 'lock'), config.timeout);
        const store: LogStore = LogStore.open(folder, config.fsync, telemetry.log, () => {
          open.delete(store);
          release();
        });
        open.add(store);
        if (config.compaction.on_start) await store.compact();
        return store;
      },
      async shutdown() {
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
