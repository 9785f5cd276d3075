/** `penstock validate`: loads the configuration and builds its graph, without opening anything. Says nothing where all is well. */
import { loadConfig } from '#src/config/load.ts';
import type { Catalog } from '#src/core/catalog.ts';
import { Service } from '#src/pipeline/service.ts';
import { type ConfigOptions, programVersion } from './command_line.ts';

export async function validate(options: ConfigOptions, catalog: Catalog): Promise<void> {
  const config = await loadConfig({ uris: options.config, settings: options.set }, catalog);
  new Service(config, programVersion(), () => {});
}
