/**
 * Paths into an entry as configuration writes them: body.a.b, attributes["log.file.name"], resource['k'].
 * A map that is set merges into what is there, as in the Collector; a scalar on the way is replaced by a map.
 */
import type { Entry } from './entry.ts';
import { isMap, type Value, type ValueMap } from './value.ts';

export type Root = 'body' | 'attributes' | 'resource';

export class Field {
  readonly root: Root;
  readonly keys: readonly string[];
  constructor(root: Root, keys: readonly string[]) {
    this.root = root;
    this.keys = keys;
  }

  get(entry: Entry): Value | undefined {
    const keys = this.keys;
    let value: Value | undefined = entry[this.root];
    if (keys.length === 0) return value;
    for (let i = 0; i < keys.length; i++) {
      if (!isMap(value)) return undefined;
      value = value.get(keys[i]!);
    }
    return value;
  }

  /** Throws where the root of attributes or resource would become something other than a map. */
  set(entry: Entry, value: Value): void {
    const keys = this.keys;
    if (isMap(value)) {
      const target = this.#mapAt(entry, keys.length);
      for (const [key, item] of value) target.set(key, item);
      return;
    }
    if (keys.length === 0) {
      if (this.root !== 'body') throw new Error(`cannot set ${this.root} root`);
      entry.body = value;
      return;
    }
    this.#mapAt(entry, keys.length - 1).set(keys[keys.length - 1]!, value);
  }

  /** Removes the field and returns what it held; undefined where it was absent. */
  delete(entry: Entry): Value | undefined {
    const keys = this.keys;
    if (keys.length === 0) {
      const old: Value = entry[this.root];
      if (this.root === 'body') entry.body = null;
      else entry[this.root] = new Map();
      return old;
    }
    let parent: Value | undefined = entry[this.root];
    for (let i = 0; i < keys.length - 1; i++) {
      if (!isMap(parent)) return undefined;
      parent = parent.get(keys[i]!);
    }
    if (!isMap(parent)) return undefined;
    const key = keys[keys.length - 1]!,
      old = parent.get(key);
    parent.delete(key);
    return old;
  }

  /** The map below the first `depth` keys, made where it is missing. */
  #mapAt(entry: Entry, depth: number): ValueMap {
    let map: ValueMap;
    if (this.root === 'body') {
      if (!isMap(entry.body)) entry.body = new Map<string, Value>();
      map = entry.body as ValueMap;
    } else map = entry[this.root];
    for (let i = 0; i < depth; i++) {
      const key = this.keys[i]!,
        next = map.get(key);
      if (isMap(next)) map = next;
      else {
        const made: ValueMap = new Map();
        map.set(key, made);
        map = made;
      }
    }
    return map;
  }

  toString(): string {
    return this.root + this.keys.map((key) => (/^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join('');
  }
}

/** Throws an Error with a message for the user. `rootable`: "attributes" and "resource" alone are allowed. */
export function parseField(text: string, rootable = false): Field {
  const parts = splitField(text),
    root = parts[0]!;
  if (root !== 'body' && root !== 'attributes' && root !== 'resource') {
    throw new Error(`field "${text}" has an unrecognized prefix; it must start with body, attributes or resource`);
  }
  if (parts.length === 1 && root !== 'body' && !rootable) throw new Error(`field "${text}": ${root} cannot be referenced without subfield`);
  return new Field(root, parts.slice(1));
}

function splitField(text: string): string[] {
  const parts: string[] = [];
  const first = /^[^.[]*/.exec(text)![0];
  parts.push(first);
  let at = first.length;
  while (at < text.length) {
    if (text[at] === '.') {
      const key = /^[^.[]*/.exec(text.slice(at + 1))![0];
      parts.push(key);
      at += 1 + key.length;
    } else {
      const quote = text[at + 1];
      if (text[at] !== '[' || (quote !== '"' && quote !== "'")) throw new Error(`field "${text}": found unquoted bracket at position ${at}`);
      const end = text.indexOf(`${quote}]`, at + 2);
      if (end < 0) throw new Error(`field "${text}": found unclosed bracket at position ${at}`);
      parts.push(text.slice(at + 2, end));
      at = end + 2;
      if (at < text.length && text[at] !== '.' && text[at] !== '[') throw new Error(`field "${text}": unexpected character after a bracket at position ${at}`);
    }
  }
  return parts;
}
