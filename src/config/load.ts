/**
 * From the command line's sources to a typed configuration: read, merge, expand, type every component by its schema, check what refers to
 * what. All faults are collected and thrown together as one ConfigError whose messages end with file, line and column.
 */
import type { z } from 'zod';
import { type Catalog, loadDefinition } from '#src/core/catalog.ts';
import type { AnyDefinition, Kind } from '#src/core/component.ts';
import { ConfigError, type ConfigIssue } from '#src/core/errors.ts';
import { parseComponentId } from './component_ids.ts';
import {
  childNode,
  type ConfigNode,
  type ConfigPath,
  emptyMap,
  isNullNode,
  type MapNode,
  mergeNodes,
  nodeKindName,
  placeOf,
  splitJoinedKeys,
  unwrapNode,
} from './node.ts';
import { expandNode } from './expand.ts';
import { checkReferences } from './references.ts';
import { serviceSchema, type ServiceConfig } from './service_schema.ts';
import { readSource } from './sources.ts';
import { nearest } from './suggest.ts';
import { typeNode } from './typing.ts';
import { readYaml } from './yaml_reader.ts';

export const SECTIONS = { receivers: 'receiver', processors: 'processor', exporters: 'exporter', connectors: 'connector', extensions: 'extension' } as const;
export type Section = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as Section[];

/** A component of the configuration, typed by its schema. */
export interface ComponentConfig {
  readonly id: string;
  readonly kind: Kind;
  readonly definition: AnyDefinition;
  readonly config: unknown;
  /** What was written, before the schema's transforms; for print-config. */
  readonly input: unknown;
}
export interface LoadedConfig {
  /** With the places of all values. */
  readonly root: MapNode;
  readonly components: Readonly<Record<Section, ReadonlyMap<string, ComponentConfig>>>;
  readonly service: ServiceConfig;
  readonly serviceInput: unknown;
}

export interface Sources {
  /** File names or URIs, in order; later ones win. */
  readonly uris: readonly string[];
  /** "processors.batch.timeout=2s"; they win over all files. */
  readonly settings: readonly string[];
}

/** Reads, checks and types a configuration. Throws ConfigError with everything that is wrong. */
export async function loadConfig(sources: Sources, catalog: Catalog, checks = { references: true }): Promise<LoadedConfig> {
  const merged = await readSources(sources);
  let root: MapNode;
  try {
    root = (await expandNode(merged)) as MapNode;
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(error.issues) : error;
  }
  const issues: ConfigIssue[] = [];
  for (const key of root.entries.keys()) {
    if (key in SECTIONS || key === 'service') continue;
    const near = nearest(key, [...SECTION_NAMES, 'service']);
    issues.push({
      path: [key],
      message: `unknown section${near === undefined ? `; use ${SECTION_NAMES.join(', ')} and service` : `; did you mean "${near}"?`}`,
    });
  }
  const components: Record<Section, Map<string, ComponentConfig>> = {
    receivers: new Map(),
    processors: new Map(),
    exporters: new Map(),
    connectors: new Map(),
    extensions: new Map(),
  };
  const declared: Record<Section, Set<string>> = {
    receivers: new Set(),
    processors: new Set(),
    exporters: new Set(),
    connectors: new Set(),
    extensions: new Set(),
  };
  for (const section of SECTION_NAMES) await typeSection(root, section, catalog, components[section], declared[section], issues);
  const service = typeNode(childNode(root, 'service') ?? emptyMap(''), serviceSchema, ['service']);
  if (!service.ok) issues.push(...service.issues);
  else if (checks.references) issues.push(...checkReferences(service.value, declared));
  if (issues.length > 0 || !service.ok) throw locateIssues(root, issues);
  return { root, components, service: service.value, serviceInput: service.input };
}

/** Adds file, line and column to issues whose paths lead into `root`. */
export function locateIssues(root: ConfigNode, issues: readonly ConfigIssue[]): ConfigError {
  return new ConfigError(
    issues.map((issue) => {
      const place = placeOf(root, issue.path);
      return place.line === 0 ? issue : { path: issue.path, message: `${issue.message} (${place.source}:${place.line}:${place.column})` };
    }),
  );
}

async function readSources(sources: Sources): Promise<MapNode> {
  if (sources.uris.length === 0 && sources.settings.length === 0) throw new ConfigError('no configuration given; name one with --config FILE');
  const issues: ConfigIssue[] = [];
  let merged: ConfigNode = emptyMap('');
  const add = (text: string, name: string): void => {
    try {
      const node = readYaml(text, name);
      if (node === null || isNullNode(node)) return;
      const top = unwrapNode(node);
      if (top.kind === 'map') merged = mergeNodes(merged, splitJoinedKeys(top));
      else
        issues.push({
          path: [],
          message: `the top of a configuration must be a map of sections, not ${nodeKindName(node)} (${name}:${top.place.line}:${top.place.column})`,
        });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  };
  for (const uri of sources.uris) {
    try {
      const { text, name } = await readSource(uri, 'file');
      add(text, name);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  for (const setting of sources.settings) {
    const equals = setting.indexOf('=');
    if (equals <= 0) throw new ConfigError(`--set ${setting}: missing equal sign; write --set path.to.key=value`);
    add(`"${setting.slice(0, equals).trim().replaceAll('.', '::')}": ${setting.slice(equals + 1)}`, `--set ${setting.slice(0, equals)}`);
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return merged as MapNode;
}

async function typeSection(
  root: MapNode,
  section: Section,
  catalog: Catalog,
  into: Map<string, ComponentConfig>,
  declared: Set<string>,
  issues: ConfigIssue[],
): Promise<void> {
  const node = childNode(root, section);
  if (node === undefined || isNullNode(node)) return;
  const map = unwrapNode(node),
    kind = SECTIONS[section];
  if (map.kind !== 'map') {
    issues.push({ path: [section], message: `expected a map of ${section}, not ${nodeKindName(node)}` });
    return;
  }
  for (const [key, entry] of map.entries) {
    const path: ConfigPath = [section, key],
      parsed = parseComponentId(key);
    if ('fault' in parsed) {
      issues.push({ path, message: parsed.fault });
      continue;
    }
    if (declared.has(parsed.id)) {
      issues.push({ path, message: `"${parsed.id}" is configured twice` });
      continue;
    }
    declared.add(parsed.id);
    const definition = await loadDefinition(catalog, kind, parsed.type);
    if (definition === undefined) {
      const types = Object.keys(catalog[kind]),
        near = nearest(parsed.type, types);
      issues.push({
        path,
        message: `unknown ${kind} type "${parsed.type}"${near === undefined ? '' : `, did you mean "${near}"?`}; there are: ${types.toSorted().join(', ')}`,
      });
      continue;
    }
    if (unwrapNode(entry.value).kind !== 'map' && !isNullNode(entry.value)) {
      issues.push({ path, message: `expected a map of settings, not ${nodeKindName(entry.value)}` });
      continue;
    }
    const body = isNullNode(entry.value) ? emptyMap('') : entry.value;
    const typed = typeNode(body, definition.configSchema as z.ZodType, path);
    if (typed.ok) into.set(parsed.id, { id: parsed.id, kind, definition, config: typed.value, input: typed.input });
    else issues.push(...typed.issues);
  }
}
