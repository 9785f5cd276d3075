/**
 * The list of component types as the config layer and the graph see it: what there is, and how to load one. A definition is imported
 * when a configuration names it, so that starting costs only what is used.
 */
import type { AnyDefinition, Kind } from './component.ts';

export type Load = () => Promise<{ readonly default: AnyDefinition }>;
/** By type as in configuration; a string is another spelling of the type it names. */
export type CatalogSection = Readonly<Record<string, Load | string>>;
export type Catalog = Readonly<Record<Kind, CatalogSection>>;

/** Loads the definition of a type, by any of its spellings; undefined where there is none. */
export async function loadDefinition(catalog: Catalog, kind: Kind, type: string): Promise<AnyDefinition | undefined> {
  const section = catalog[kind];
  const entry = Object.hasOwn(section, type) ? section[type] : undefined;
  if (entry === undefined) return undefined;
  return typeof entry === 'string' ? await loadDefinition(catalog, kind, entry) : (await entry()).default;
}
