/**
 * ${env:X}, ${env:X:-default}, ${X}, ${file:path}, ${yaml:text} inside values, nested too; "$$" is a dollar. Keys are not expanded.
 * A value that is nothing but one reference takes whatever type the text has as YAML; within longer text the reference is text.
 */
import { ConfigError } from '#src/core/errors.ts';
import type { ConfigNode, Entry, Place } from './node.ts';
import { readSource } from './sources.ts';
import { readYaml } from './yaml_reader.ts';

/** References that lead to references; more is taken for a circle. */
const MAX_ROUNDS = 100;
const MAX_TEXT_LENGTH = 64 << 20;

/** The same tree with every reference replaced. Throws ConfigError with the place of each reference that failed. */
export async function expandNode(root: ConfigNode): Promise<ConfigNode> {
  const issues: { path: (string | number)[]; message: string }[] = [];
  const expanded = await expand(root, [], issues);
  if (issues.length > 0) throw new ConfigError(issues);
  return expanded;
}

async function expand(node: ConfigNode, path: (string | number)[], issues: { path: (string | number)[]; message: string }[]): Promise<ConfigNode> {
  switch (node.kind) {
    case 'map': {
      const entries = new Map<string, Entry>();
      for (const [key, entry] of node.entries) entries.set(key, { value: await expand(entry.value, [...path, key], issues), keyPlace: entry.keyPlace });
      return { kind: 'map', entries, place: node.place };
    }
    case 'list': {
      const items: ConfigNode[] = [];
      for (let i = 0; i < node.items.length; i++) items.push(await expand(node.items[i]!, [...path, i], issues));
      return { kind: 'list', items, place: node.place };
    }
    case 'expanded':
      return node;
    case 'scalar':
      if (typeof node.value !== 'string' || !node.value.includes('$')) return node;
      try {
        return await expandText(node.value, node.place, 0);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        for (const issue of error.issues) issues.push({ path, message: `${issue.message} (${node.place.source}:${node.place.line}:${node.place.column})` });
        return node;
      }
  }
}

async function expandText(text: string, place: Place, round: number): Promise<ConfigNode> {
  let current = text;
  for (let left = MAX_ROUNDS; ; left--) {
    const reference = findReference(current);
    if (reference === undefined) break;
    if (left === 0 || round > MAX_ROUNDS || current.length > MAX_TEXT_LENGTH)
      throw new ConfigError(`"${shorten(text)}" refers to itself, or leads through more than ${MAX_ROUNDS} references`);
    const whole = reference === current;
    const uri = reference.slice(2, -1);
    if (uri.includes('$')) throw new ConfigError(`"${shorten(reference)}": a reference holds no dollar`);
    const source = await readSource(uri, 'env');
    if (whole) return await typed(source.text, source.name, place, round);
    current = current.replaceAll(reference, () => source.text);
  }
  return { kind: 'scalar', value: unescapeDollars(current), place };
}

/** The whole value is one reference: both what its text means as YAML and the text itself are kept. */
async function typed(text: string, source: string, place: Place, round: number): Promise<ConfigNode> {
  let value: ConfigNode | null;
  try {
    value = readYaml(text, source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return await expandText(text, place, round + 1); // A secret may look like broken YAML: then it is text.
  }
  if (value?.kind === 'scalar' && typeof value.value === 'string') return await expandText(text, place, round + 1);
  const original = await expandText(text, place, round + 1);
  const inner = value === null ? ({ kind: 'scalar', value: null, place } as const) : await expandBelow(value, round + 1);
  return { kind: 'expanded', value: inner, original: original?.kind === 'scalar' ? String(original.value) : text, place };
}

async function expandBelow(node: ConfigNode, round: number): Promise<ConfigNode> {
  if (round > MAX_ROUNDS) throw new ConfigError(`files refer to each other through more than ${MAX_ROUNDS} references`);
  switch (node.kind) {
    case 'map': {
      const entries = new Map<string, Entry>();
      for (const [key, entry] of node.entries) entries.set(key, { value: await expandBelow(entry.value, round), keyPlace: entry.keyPlace });
      return { kind: 'map', entries, place: node.place };
    }
    case 'list':
      return { kind: 'list', items: await Promise.all(node.items.map((item) => expandBelow(item, round))), place: node.place };
    case 'expanded':
      return node;
    case 'scalar':
      return typeof node.value === 'string' && node.value.includes('$') ? await expandText(node.value, node.place, round + 1) : node;
  }
}

/** The innermost reference that closes first, "${...}" whole; undefined where there is none, or the first one is escaped by an odd number of dollars before it. */
function findReference(text: string): string | undefined {
  let from = 0;
  for (;;) {
    const close = text.indexOf('}', from);
    if (close < 0) return undefined;
    const open = text.lastIndexOf('${', close);
    if (open >= from) {
      let dollars = 0;
      while (open - dollars - 1 >= 0 && text[open - dollars - 1] === '$') dollars++;
      return dollars % 2 === 1 ? undefined : text.slice(open, close + 1);
    }
    from = close + 1;
  }
}

function unescapeDollars(text: string): string {
  return text.replaceAll('$$', () => '$');
}
function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
