/**
 * What a context is: the names that a path may begin with, the enums, and the paths themselves. A path is looked up once, when a statement
 * is compiled, and becomes a pair of closures over the rewriter's cursors (src/data/contexts.ts), which stand on the record while statements run.
 */
import type { ContextName, Getter, GetSetter, RecordContext } from '#ottl/function.ts';
import { ValueMap } from '#ottl/values.ts';
import type { Cursor } from '#src/data/cursor.ts';

/** What closures are called with: beside the cursors, which are everybody's, a record has a cache for its statements. */
export class Frame implements RecordContext {
  readonly kind: ContextName;
  #cache: ValueMap | null = null;
  constructor(kind: ContextName) {
    this.kind = kind;
  }
  get cache(): ValueMap {
    this.#cache ??= new ValueMap();
    return this.#cache;
  }
  /** Another record: its cache begins empty. */
  reset(): void {
    this.#cache = null;
  }
}

/** A key behind a path or a converter, compiled. */
export type CompiledKey =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'expression'; readonly getter: Getter };

/** What the compiler may know about a path at start; a path without it is read and written through decoded values only. */
export type StaticPath =
  | { readonly kind: 'attribute'; readonly cursor: Cursor; readonly key: string }
  | { readonly kind: 'attributes'; readonly cursor: Cursor }
  /** A plain field of a message: an int or enum in a varint, or a string. */
  | { readonly kind: 'int' | 'text'; readonly cursor: Cursor; readonly field: number }
  /** A field that is an AnyValue: the body. */
  | { readonly kind: 'any'; readonly cursor: Cursor; readonly field: number }
  /** An int in a message of its own: status.code. */
  | { readonly kind: 'intIn'; readonly cursor: Cursor; readonly field: number; readonly inner: number };

export interface PathAccess extends GetSetter {
  readonly known?: StaticPath;
}

export interface PathEntry {
  /** The path without keys. */
  readonly plain?: PathAccess;
  /** With keys: attributes["a"]["b"]. */
  readonly keyed?: (keys: readonly CompiledKey[]) => PathAccess;
  /** What may follow behind a dot. */
  readonly next?: Readonly<Record<string, PathEntry>>;
}
export type PathTable = Readonly<Record<string, PathEntry>>;

export interface Context {
  readonly name: ContextName;
  /** The level of src/data whose callback runs the statements. */
  readonly level: number;
  /** The contexts whose paths can be used, by the name they are written with, and the level they stand on; the own one among them. */
  readonly roots: Readonly<Record<string, { readonly level: number; readonly paths: PathTable }>>;
  readonly enums: Readonly<Record<string, number>>;
}

/** Which context is meant where paths of several are used: the first of these. */
export const CONTEXT_PRIORITY: readonly string[] = ['log', 'datapoint', 'metric', 'spanevent', 'span', 'scope', 'instrumentation_scope', 'resource'];
