/** The whole configuration as text, for print-config: keys sorted, absent sections null, in the form that the Collector prints. */
import { stringify } from 'yaml';
import type { z } from 'zod';
import { type LoadedConfig, SECTION_NAMES } from './load.ts';
import { printable, type PrintMode } from './printable.ts';
import { serviceSchema } from './service_schema.ts';

export type { PrintMode } from './printable.ts';

export function configText(config: LoadedConfig, format: 'yaml' | 'json', mode: PrintMode): string {
  const tree: Record<string, unknown> = {};
  for (const section of SECTION_NAMES) {
    const components = config.components[section];
    tree[section] =
      components.size === 0
        ? null
        : Object.fromEntries([...components.values()].map(({ id, definition, input }) => [id, printable(definition.configSchema as z.ZodType, input, mode)]));
  }
  tree['service'] = printable(serviceSchema, config.serviceInput, mode);
  const sorted = sortKeys(tree);
  return format === 'json'
    ? `${JSON.stringify(sorted, (_key, value: unknown) => (typeof value === 'bigint' ? rawJson(String(value)) : value), 2)}\n`
    : yamlText(sorted);
}

/** Digits as they are; the type library does not know it yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

export function yamlText(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}
