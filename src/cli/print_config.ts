/** `penstock print-config`: the configuration as it will run, secrets hidden unless asked for. */
import { loadConfig } from '#src/config/load.ts';
import { configText, type PrintMode } from '#src/config/print.ts';
import type { Catalog } from '#src/core/catalog.ts';
import { Service } from '#src/pipeline/service.ts';
import { type ConfigOptions, programVersion } from './command_line.ts';

export async function printConfig(options: ConfigOptions & { format: 'yaml' | 'json'; mode: PrintMode; validate: string }, catalog: Catalog): Promise<void> {
  const config = await loadConfig({ uris: options.config, settings: options.set }, catalog);
  if (options.validate === 'true') new Service(config, programVersion(), () => {});
  process.stdout.write(configText(config, options.format, options.mode));
}
