/** `penstock components`: every type that is built in, with its stability per signal, as YAML in the Collector's form. */
import { yamlText } from '#src/config/print.ts';
import { SECTIONS, type Section } from '#src/config/load.ts';
import { SIGNALS } from '#src/core/batch.ts';
import { type Catalog, loadDefinition } from '#src/core/catalog.ts';
import type { AnyDefinition } from '#src/core/component.ts';

export async function printComponents(catalog: Catalog, version: string): Promise<void> {
  const listing: Record<string, unknown> = { buildinfo: { command: 'penstock', description: 'Penstock', version } };
  for (const section of ['receivers', 'processors', 'exporters', 'connectors', 'extensions'] as Section[]) {
    const kind = SECTIONS[section],
      entries: unknown[] = [];
    for (const type of Object.keys(catalog[kind]).toSorted()) {
      if (typeof catalog[kind][type] === 'string') continue;
      const definition = (await loadDefinition(catalog, kind, type))!;
      const aliases = Object.keys(catalog[kind]).filter((name) => catalog[kind][name] === type);
      entries.push({ name: type, ...(aliases.length > 0 ? { aliases } : {}), stability: stabilityOf(definition) });
    }
    listing[section] = entries;
  }
  process.stdout.write(yamlText(listing));
}

function stabilityOf(definition: AnyDefinition): Record<string, string> {
  const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  if (definition.kind === 'extension') return { extension: capital(definition.stability) };
  if (definition.kind === 'connector') return Object.fromEntries(definition.routes.map(([from, to, stability]) => [`${from}-to-${to}`, capital(stability)]));
  return Object.fromEntries(SIGNALS.map((signal) => [signal, capital(definition.stability[signal] ?? 'undefined')]));
}
