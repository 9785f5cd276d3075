/** `penstock print-config`: the configuration as it will run, secrets hidden unless asked for. Options are checked; no component is created, so that one which would refuse to start can be looked at. */
import { loadConfig } from '#src/config/load.ts';
import { configText, type PrintMode } from '#src/config/print.ts';
import type { Catalog } from '#src/core/catalog.ts';
import type { ConfigOptions } from './command_line.ts';

export async function printConfig(options: ConfigOptions & { format: 'yaml' | 'json'; mode: PrintMode; validate: string }, catalog: Catalog): Promise<void> {
  const config = await loadConfig({ uris: options.config, settings: options.set }, catalog, { references: options.validate === 'true' });
  process.stdout.write(configText(config, options.format, options.mode));
}
