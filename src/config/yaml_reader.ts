/**
 * YAML text to nodes with places. The dialect is the Collector's: YAML 1.2 core (yes and on are text), with the integers of YAML 1.1
 * (0x1f, 0o17, 017, 0b11, 1_000), anchors and merge keys. Of several documents in one file the first counts, as there. Comments are not kept.
 */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type ScalarTag } from 'yaml';
import { ConfigError, type ConfigIssue } from '#src/core/errors.ts';
import type { ConfigNode, Entry, Place, Scalar } from './node.ts';

/** Far above every real configuration; stops aliases of aliases of aliases. */
const MAX_NODES = 1_000_000;
const MAX_DEPTH = 200;

/** A number is written so that it is the same again; big integers stay exact. */
function toInteger(sign: string, digits: string, radix: number): number | bigint {
  const prefix = radix === 16 ? '0x' : radix === 8 ? '0o' : radix === 2 ? '0b' : '';
  const exact = BigInt(prefix + digits.replaceAll('_', '')) * (sign === '-' ? -1n : 1n);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}
function integerTag(test: RegExp, radix: number): ScalarTag {
  return {
    identify: () => false,
    default: true,
    tag: 'tag:yaml.org,2002:int',
    test,
    resolve: (text) => {
      const match = test.exec(text)!;
      return toInteger(match[1]!, match[2]!, radix);
    },
  };
}
const floatTag: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9][0-9_]*)?$/,
  resolve: (text) => Number(text.replaceAll('_', '')),
};
/** A number with a point or an exponent; hexadecimal ones have an e, too. */
const FRACTION = /^(?![-+]?0x).*[.eE]/;
const infinityTag: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (text) => (/nan/i.test(text) ? NaN : text.startsWith('-') ? -Infinity : Infinity),
};
const TAGS = [
  integerTag(/^([-+]?)0x([0-9a-fA-F_]*[0-9a-fA-F])$/, 16),
  integerTag(/^([-+]?)0b([01_]*[01])$/, 2),
  integerTag(/^([-+]?)0o?([0-7_]*[0-7])$/, 8),
  integerTag(/^([-+]?)((?:0|[1-9][0-9_]*))$/, 10),
  floatTag,
  infinityTag,
];

/** The nodes of a source; null where the text is empty. Throws ConfigError with all faults of the text. */
export function readYaml(text: string, source: string): ConfigNode | null {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    customTags: (tags) => [...TAGS, ...tags.filter((tag) => typeof tag === 'string' || !/int|float/.test(tag.tag))],
    prettyErrors: false,
    uniqueKeys: false,
  });
  const errors = document.errors.filter((error) => error.code !== 'MULTIPLE_DOCS');
  if (errors.length > 0) {
    throw new ConfigError(
      errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { path: [], message: `not valid YAML: ${error.message.split('\n', 1)[0]!} at line ${line} (${source}:${line}:${col})` };
      }),
    );
  }
  if (document.contents === null) return null;
  const reader = new Reader(document, lines, source);
  const root = reader.read(document.contents, 0);
  if (reader.issues.length > 0) throw new ConfigError(reader.issues);
  return root;
}

class Reader {
  /** Keys that are there twice. */
  readonly issues: ConfigIssue[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #source: string;
  #nodeCount = 0;

  constructor(document: Document, lines: LineCounter, source: string) {
    this.#document = document;
    this.#lines = lines;
    this.#source = source;
  }

  read(node: unknown, depth: number): ConfigNode {
    const place = this.#place(node);
    if (++this.#nodeCount > MAX_NODES) throw new ConfigError(`${this.#source}: more than ${MAX_NODES} values; check its anchors and aliases`);
    if (depth > MAX_DEPTH) throw new ConfigError(`nested deeper than ${MAX_DEPTH} levels (${this.#source}:${place.line}:${place.column})`);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) throw new ConfigError(`the alias "*${node.source}" has no anchor (${this.#source}:${place.line}:${place.column})`);
      return this.read(target, depth + 1);
    }
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => this.read(item, depth + 1)), place };
    if (isMap(node)) {
      const entries = new Map<string, Entry>();
      for (const pair of node.items) if (isPair(pair) && keyText(pair.key) === '<<') this.#merge(entries, pair.value, depth);
      const own = new Map<string, Place>();
      for (const pair of node.items) {
        const key = keyText(pair.key),
          keyPlace = this.#place(pair.key),
          before = own.get(key);
        if (key === '<<') continue;
        if (before !== undefined) {
          this.issues.push({
            path: [],
            message: `the key "${key}" is there already at line ${before.line} (${this.#source}:${keyPlace.line}:${keyPlace.column})`,
          });
          continue;
        }
        own.set(key, keyPlace);
        entries.set(key, { value: pair.value === null ? { kind: 'scalar', value: null, place: keyPlace } : this.read(pair.value, depth + 1), keyPlace });
      }
      return { kind: 'map', entries, place };
    }
    const value = isScalar(node) ? node.value : null;
    if (typeof value === 'number' && isScalar(node) && FRACTION.test(node.source ?? '')) return { kind: 'scalar', value, isFloat: true, place };
    return { kind: 'scalar', value: isPlainScalar(value) ? value : String(value), place };
  }

  /** `<<: *base` and `<<: [*a, *b]`: the first that has a key wins, and a key written beside it wins over all. */
  #merge(entries: Map<string, Entry>, value: unknown, depth: number): void {
    const merged = this.read(value, depth + 1);
    for (const map of merged.kind === 'list' ? merged.items : [merged]) {
      if (map.kind !== 'map') throw new ConfigError(`"<<" takes a map or a list of maps (${this.#source}:${map.place.line}:${map.place.column})`);
      for (const [key, entry] of map.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  #place(node: unknown): Place {
    const offset = (node as Node | null)?.range?.[0];
    if (offset === undefined) return { source: this.#source, line: 0, column: 0 };
    const { line, col } = this.#lines.linePos(offset);
    return { source: this.#source, line, column: col };
  }
}

function isPlainScalar(value: unknown): value is Scalar {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}
function keyText(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  if (typeof value === 'symbol') return '<<'; // How the package marks a merge key.
  return value === null || value === undefined ? '' : String(value);
}
