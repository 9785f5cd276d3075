/**
 * The tree of a configuration before it has types: maps, lists and scalars, each knowing the file, line and column it came from.
 * Several sources are merged here. What a value means is decided later, by the schemas.
 */

export interface Place {
  /** As the user named it: "gateway.yaml", "env:CONFIG". */
  readonly source: string;
  /** From 1; 0 where a source has no lines. */
  readonly line: number;
  readonly column: number;
}

export type Scalar = string | number | bigint | boolean | null;
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** A whole number that was written as a fraction: 1.0, 1e3. */
  readonly isFloat?: boolean;
  readonly place: Place;
}
/** The value of `${env:X}` that stands alone: read as YAML where the type is open, taken as it was written where text is wanted. */
export interface ExpandedNode {
  readonly kind: 'expanded';
  readonly value: ConfigNode;
  readonly original: string;
  readonly place: Place;
}
export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly place: Place;
}
export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly place: Place;
}
/** A value with the place of its key: what an error about the key itself points to. */
export interface Entry {
  readonly value: ConfigNode;
  readonly keyPlace: Place;
}
export type ConfigNode = ScalarNode | ExpandedNode | ListNode | MapNode;
export type ConfigPath = readonly (string | number)[];

export function emptyMap(source: string): MapNode {
  return { kind: 'map', entries: new Map(), place: { source, line: 0, column: 0 } };
}

/** The later source wins: maps join, everything else is replaced. */
export function mergeNodes(older: ConfigNode, newer: ConfigNode): ConfigNode {
  if (older.kind !== 'map' || newer.kind !== 'map') return newer;
  const entries = new Map(older.entries);
  for (const [key, entry] of newer.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? entry : { value: mergeNodes(before.value, entry.value), keyPlace: entry.keyPlace });
  }
  return { kind: 'map', entries, place: newer.place };
}

/** "receivers::otlp::protocols: x" at the top of a source means the nested maps. */
export function splitJoinedKeys(map: MapNode): MapNode {
  if (![...map.entries.keys()].some((key) => key.includes('::'))) return map;
  let result: ConfigNode = { kind: 'map', entries: new Map(), place: map.place };
  for (const [key, entry] of map.entries) {
    let value = entry.value;
    const parts = key.split('::');
    for (let i = parts.length - 1; i >= 0; i--)
      value = { kind: 'map', entries: new Map([[parts[i]!, { value, keyPlace: entry.keyPlace }]]), place: entry.keyPlace };
    result = mergeNodes(result, value);
  }
  return result as MapNode;
}

/** Looks through `${env:X}`. */
export function unwrapNode(node: ConfigNode): ScalarNode | ListNode | MapNode {
  let current = node;
  while (current.kind === 'expanded') current = current.value;
  return current;
}

export function isNullNode(node: ConfigNode): boolean {
  const inner = unwrapNode(node);
  return inner.kind === 'scalar' && inner.value === null;
}

/** The entry below a map, or undefined. */
export function childNode(node: ConfigNode | undefined, key: string): ConfigNode | undefined {
  if (node === undefined) return undefined;
  const inner = unwrapNode(node);
  return inner.kind === 'map' ? inner.entries.get(key)?.value : undefined;
}

/** Where the value at `path` is written; of what is missing, the place of the nearest parent. */
export function placeOf(root: ConfigNode, path: ConfigPath): Place {
  let node: ConfigNode = root,
    place = root.place;
  for (let i = 0; i < path.length; i++) {
    const inner = unwrapNode(node),
      step = path[i]!;
    if (inner.kind === 'map') {
      const entry = inner.entries.get(String(step));
      if (entry === undefined) break;
      const below = unwrapNode(entry.value);
      // A block map begins on the line after its key; people look for the key.
      place = below.kind !== 'scalar' || below.value === null ? entry.keyPlace : entry.value.place;
      node = entry.value;
    } else if (inner.kind === 'list') {
      const item = inner.items[Number(step)];
      if (item === undefined) break;
      place = item.place;
      node = item;
    } else break;
  }
  return place;
}

/** Plain values; a whole number beyond 2^53 stays a bigint. */
export function plainValue(node: ConfigNode): unknown {
  const inner = unwrapNode(node);
  if (inner.kind === 'scalar') return inner.value;
  if (inner.kind === 'list') return inner.items.map(plainValue);
  const result: Record<string, unknown> = {};
  for (const [key, entry] of inner.entries)
    Object.defineProperty(result, key, { value: plainValue(entry.value), enumerable: true, writable: true, configurable: true });
  return result;
}

/** Like plainValue, but whole numbers are bigints unless they were written as fractions: for values whose type travels on. */
export function exactValue(node: ConfigNode): unknown {
  const inner = unwrapNode(node);
  if (inner.kind === 'scalar') return typeof inner.value === 'number' && Number.isInteger(inner.value) && !inner.isFloat ? BigInt(inner.value) : inner.value;
  if (inner.kind === 'list') return inner.items.map(exactValue);
  const result: Record<string, unknown> = {};
  for (const [key, entry] of inner.entries)
    Object.defineProperty(result, key, { value: exactValue(entry.value), enumerable: true, writable: true, configurable: true });
  return result;
}

/** What the user sees of a type: "text", "a number". */
export function nodeKindName(node: ConfigNode): string {
  const inner = unwrapNode(node);
  if (inner.kind !== 'scalar') return inner.kind === 'map' ? 'a map' : 'a list';
  if (inner.value === null) return 'nothing';
  return typeof inner.value === 'string' ? 'text' : typeof inner.value === 'boolean' ? 'a boolean' : 'a number';
}
