/**
 * Whether a pattern occurs at all needs less than where and with which groups: what may be left out at the open ends of a pattern is left out, and
 * plain text is looked for without a regular expression.
 */
import { LAST } from './code_points.ts';
import { literalOf, type Node, type RepeatNode, repeatNode, sequenceNode } from './node.ts';

export interface Occurrence {
  /** What remains to be found. */
  readonly root: Node;
  /** Only at the start of the text. */
  readonly isAnchored: boolean;
  /** Where plain text decides, else null. */
  readonly test: ((text: string) => boolean) | null;
}

export function occurrenceOf(root: Node): Occurrence {
  const parts = partsOf(root);
  let from = 0,
    to = parts.length;
  const isStart = (node: Node | undefined): boolean => node?.kind === 'place' && node.place === 'start',
    isEnd = (node: Node | undefined): boolean => node?.kind === 'place' && node.place === 'end';
  const startPlace = isStart(parts[from]),
    endPlace = isEnd(parts[to - 1]);
  let atStart = startPlace,
    atEnd = endPlace;
  if (atStart) from++;
  if (atEnd && to > from) to--;
  // "^.*" and ".*$", where the dot takes everything, are open ends.
  if (atStart && from < to && isAnything(parts[from]!)) {
    atStart = false;
    from++;
  }
  if (atEnd && from < to && isAnything(parts[to - 1]!)) {
    atEnd = false;
    to--;
  }
  const kept = parts.slice(from, to);
  if (!atStart) while (kept.length > 0 && trim(kept, 0));
  if (!atEnd) while (kept.length > 0 && trim(kept, kept.length - 1));
  const test = textTest(kept, atStart, atEnd);
  const whole = [...(atStart ? [parts[0]!] : []), ...kept, ...(atEnd ? [parts.at(-1)!] : [])];
  return { root: sequenceNode(whole), isAnchored: atStart, test };
}

/** The parts of a sequence; groups do not matter here. */
function partsOf(node: Node): Node[] {
  if (node.kind === 'group') return partsOf(node.body);
  if (node.kind === 'sequence') return node.parts.flatMap(partsOf);
  return [node];
}

function isAnything(node: Node): boolean {
  if (node.kind !== 'repeat' || node.min !== 0 || node.max !== Number.POSITIVE_INFINITY || node.body.kind !== 'set') return false;
  const { points, isNegated } = node.body.set;
  return !isNegated && points[0] === 0 && points[1] === LAST;
}

/** Makes the repetition at an open end as short as it may be; false where there is none or it is that short already. */
function trim(parts: Node[], index: number): boolean {
  const node = parts[index]!;
  if (node.kind !== 'repeat' || (node.min > 0 && node.min === node.max)) return false;
  const { body, min } = node satisfies RepeatNode;
  if (min === 0) parts.splice(index, 1);
  else parts[index] = min === 1 ? body : repeatNode(body, min, min, false);
  return true;
}

function textTest(parts: readonly Node[], atStart: boolean, atEnd: boolean): Occurrence['test'] {
  let text = '';
  for (const part of parts) {
    const letter = literalOf(part);
    if (letter === null) {
      const values = atStart && atEnd ? valuesOf(sequenceNode(parts)) : null;
      if (values === null) return null;
      const set = new Set(values);
      return (value) => set.has(value);
    }
    text += letter;
  }
  if (atStart && atEnd) return (value) => value === text;
  if (atStart) return (value) => value.startsWith(text);
  if (atEnd) return (value) => value.endsWith(text);
  return (value) => value.includes(text);
}

/** Products of sets and choices are written out to so many texts. */
const MAX_PRODUCT = 128;

/** All texts that a pattern without repetition stands for; null where they are many or unknown. A list of alternatives may be of any length. */
export function valuesOf(node: Node): string[] | null {
  switch (node.kind) {
    case 'group':
      return valuesOf(node.body);
    case 'set': {
      const { points, isNegated, properties, ignoreCase } = node.set;
      if (isNegated || ignoreCase || properties !== '') return null;
      const values: string[] = [];
      for (let i = 0; i < points.length; i += 2)
        for (let point = points[i]!; point <= points[i + 1]!; point++) {
          if (values.length >= 16) return null;
          values.push(String.fromCodePoint(point));
        }
      return values;
    }
    case 'choice': {
      const values: string[] = [];
      for (const branch of node.branches) {
        const more = valuesOf(branch);
        if (more === null) return null;
        for (const value of more) values.push(value);
      }
      return [...new Set(values)];
    }
    case 'sequence': {
      let values = [''];
      for (const part of node.parts) {
        const more = valuesOf(part);
        if (more === null || (values.length > 1 && more.length > 1 && values.length * more.length > MAX_PRODUCT)) return null;
        values = more.length === 1 ? values.map((value) => value + more[0]!) : values.flatMap((value) => more.map((end) => value + end));
      }
      return values;
    }
    default:
      return null;
  }
}
