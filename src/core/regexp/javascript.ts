/**
 * A tree as the source of a JavaScript RegExp with the flag u, and whether both mean the same: what repeats must consume something, because JavaScript
 * gives up a round that did not, and a group in it must take part in each round, because JavaScript forgets the groups of the round before.
 */
import type { CharSet, Node, Place } from './node.ts';

const PLACES: Readonly<Record<Place, string>> = {
  start: '^',
  end: '$',
  line_start: '(?:^|(?<=\\n))',
  line_end: '(?=\\n|$)',
  word: '\\b',
  not_word: '\\B',
};

export function toJavaScript(node: Node): string {
  switch (node.kind) {
    case 'set':
      return setSource(node.set);
    case 'place':
      return PLACES[node.place];
    case 'group':
      return `(${toJavaScript(node.body)})`;
    case 'repeat': {
      const source = toJavaScript(node.body);
      return (node.body.kind === 'set' || node.body.kind === 'group' ? source : `(?:${source})`) + times(node.min, node.max) + (node.isLazy ? '?' : '');
    }
    case 'sequence':
      return node.parts.map((part) => (part.kind === 'choice' ? `(?:${toJavaScript(part)})` : toJavaScript(part))).join('');
    case 'choice':
      return node.branches.map(toJavaScript).join('|');
  }
}

function times(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function setSource({ points, properties, isNegated, ignoreCase }: CharSet): string {
  if (points.length === 2 && points[0] === points[1] && properties === '' && !isNegated && !ignoreCase) return pointSource(points[0]!);
  let members = properties;
  for (let i = 0; i < points.length; i += 2) {
    members += pointSource(points[i]!);
    if (points[i + 1] !== points[i]) members += `-${pointSource(points[i + 1]!)}`;
  }
  const source = `[${isNegated ? '^' : ''}${members}]`;
  return ignoreCase ? `(?i:${source})` : source;
}

function pointSource(point: number): string {
  const text = String.fromCodePoint(point);
  return /^[0-9A-Za-z_ "%'<>;:,=@!#&~]$/.test(text) ? text : `\\u{${point.toString(16)}}`;
}

/** Whether a backtracking engine finds the same match with the same groups. */
export function meansTheSame(node: Node): boolean {
  switch (node.kind) {
    case 'group':
      return meansTheSame(node.body);
    case 'repeat':
      if (node.body.isEmpty && node.min !== node.max) return false;
      return meansTheSame(node.body) && (node.max <= 1 || !forgetsGroups(node.body, false));
    case 'sequence':
      return node.parts.every(meansTheSame);
    case 'choice':
      return node.branches.every(meansTheSame);
    case 'place':
      return node.place !== 'not_word'; // V8 finds one between the halves of a surrogate pair.
    default:
      return true;
  }
}

/** Whether it has a group that may be left out. */
function forgetsGroups(node: Node, mayBeLeftOut: boolean): boolean {
  switch (node.kind) {
    case 'group':
      return mayBeLeftOut || forgetsGroups(node.body, mayBeLeftOut);
    case 'repeat':
      return forgetsGroups(node.body, mayBeLeftOut || node.min === 0);
    case 'sequence':
      return node.parts.some((part) => forgetsGroups(part, mayBeLeftOut));
    case 'choice':
      return node.branches.some((branch) => forgetsGroups(branch, true));
    default:
      return false;
  }
}
