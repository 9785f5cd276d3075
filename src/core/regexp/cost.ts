/**
 * How many steps a backtracking engine may take for a pattern. Where the next code point decides what to do (to go on repeating or not, which
 * branch to take), going back ends at once and time is linear. Each repetition that is not decided so may end wherever the text has a code point that
 * both goes on and follows, or, where fixed text follows, wherever that occurs: the steps are the product. Undecided choices within a repetition grow
 * exponentially.
 */
import { type CodePoints, EVERYTHING, intersection, NOTHING, overlap, union } from './code_points.ts';
import { literalOf, type Node } from './node.ts';

export interface Cost {
  /** Infinity: exponential. */
  factor: number;
  /** The repetitions whose end is not decided by what comes next. */
  exits: Exit[];
  /** Repetitions that can take as much text as there is. */
  loops: number;
}

/** Where such a repetition may end. */
export interface Exit {
  /** Before this text; '' where what follows is not fixed. */
  readonly text: string;
  /** Before one of these. By code unit; the last stands for all beyond ASCII. */
  readonly units: Uint8Array;
}
const ASCII = 128;

function exitOf(text: string, points: CodePoints): Exit {
  const units = new Uint8Array(ASCII + 1);
  for (let i = 0; i < points.length; i += 2) units.fill(1, Math.min(points[i]!, ASCII), Math.min(points[i + 1]!, ASCII) + 1);
  return { text, units };
}

/** A count beyond this is taken for no limit. */
const MANY = 64;
/** Patterns with more parts than this are not looked at. */
const MAX_NODES = 4000;

interface Next {
  /** What may come behind a part. */
  readonly points: CodePoints;
  /** The fixed text that comes behind it, '' if none. */
  readonly text: string;
}

/** Of one attempt that begins at a given place. */
export function costOf(root: Node): Cost {
  return countNodes(root) > MAX_NODES ? { factor: Number.POSITIVE_INFINITY, exits: [], loops: 0 } : measure(root, { points: NOTHING, text: '' });
}

function countNodes(node: Node): number {
  if (node.kind === 'sequence') return node.parts.reduce((sum, part) => sum + countNodes(part), 1);
  if (node.kind === 'choice') return node.branches.reduce((sum, part) => sum + countNodes(part), 1);
  return 1 + (node.kind === 'group' || node.kind === 'repeat' ? countNodes(node.body) : 0);
}

function measure(node: Node, next: Next): Cost {
  switch (node.kind) {
    case 'set':
    case 'place':
      return { factor: 1, exits: [], loops: 0 };
    case 'group':
      return measure(node.body, next);
    case 'repeat':
      return repeatCost(node.body, node.min, node.max, next);
    case 'sequence':
      return sequenceCost(node.parts, next);
    case 'choice':
      return choiceCost(node.branches, next);
  }
}

function sequenceCost(parts: readonly Node[], next: Next): Cost {
  const total: Cost = { factor: 1, exits: [], loops: 0 };
  let { points, text } = next;
  for (let i = parts.length - 1; i >= 0; i--) {
    const part = parts[i]!,
      cost = measure(part, { points, text });
    total.factor *= cost.factor;
    total.exits.push(...cost.exits);
    total.loops += cost.loops;
    points = part.passes ? union(points, part.first) : part.first;
    text = leadOf(part, text);
  }
  return total;
}

/** The fixed text that a part and what follows it begin with. */
function leadOf(part: Node, following: string): string {
  if (part.kind === 'group') return leadOf(part.body, following);
  if (part.kind === 'sequence') return part.parts.reduceRight((text, inner) => leadOf(inner, text), following);
  const letter = literalOf(part);
  return letter === null ? '' : letter + following.slice(0, 32);
}

function choiceCost(branches: readonly Node[], next: Next): Cost {
  const costs = branches.map((branch) => measure(branch, next));
  let seen = NOTHING,
    isDecided = branches.filter((branch) => branch.isEmpty).length < 2;
  for (const branch of branches) {
    const first = branch.passes ? union(branch.first, next.points) : branch.first;
    isDecided &&= !overlap(seen, first);
    seen = union(seen, first);
  }
  const factors = costs.map((cost) => cost.factor);
  return {
    factor: isDecided ? Math.max(...factors) : factors.reduce((sum, factor) => sum + factor, 0),
    exits: costs.reduce((most: Exit[], cost) => (cost.exits.length > most.length ? cost.exits : most), []),
    loops: Math.max(...costs.map((cost) => cost.loops)),
  };
}

function repeatCost(body: Node, min: number, max: number, next: Next): Cost {
  const isUndecided = min !== max && (body.isEmpty || overlap(body.first, next.points));
  const inner = measure(body, max > 1 ? { points: union(next.points, body.first), text: '' } : next);
  if (max <= 1) return { ...inner, factor: inner.factor + (isUndecided ? 1 : 0) };
  if (max > MANY) {
    if (inner.exits.length > 0 || inner.factor > 1) return { factor: Number.POSITIVE_INFINITY, exits: [], loops: 0 };
    return { factor: 1, exits: isUndecided ? [exitOf(next.text, body.isEmpty ? EVERYTHING : intersection(body.first, next.points))] : [], loops: 1 };
  }
  const exits: Exit[] = [];
  for (let i = 0; i < max && inner.exits.length > 0; i++) exits.push(...inner.exits);
  return { factor: inner.factor ** max * (isUndecided ? max - min + 1 : 1), exits, loops: inner.loops * max };
}

/** Steps for this text, about. `isAnchored`: one attempt, else one at each place where `lead` stands ('': anywhere). */
export function stepsFor(cost: Cost, text: string, isAnchored: boolean, lead: string, enough: number): number {
  const size = text.length + 1;
  let most = cost.factor * size * (isAnchored || cost.loops === 0 ? 1 : size);
  const degree = Math.max(0, Math.min(cost.exits.length, cost.loops - 1));
  for (let i = 0; i < degree; i++) most *= size;
  if (most <= enough) return most;
  // The long way: how often does the text have what must follow?
  let steps = cost.factor * size * (isAnchored || cost.loops === 0 ? 1 : occurrences(text, lead));
  const { exits } = cost;
  if (exits.length > MOST_AT_ONCE) {
    const ends = exits.map((exit) => (exit.text === '' ? places(text, exit.units) : occurrences(text, exit.text))).sort((a, b) => b - a);
    for (let i = 0; i < degree; i++) steps *= ends[i]!;
    return steps;
  }
  countPlaces(text, exits);
  for (let i = 0; i < exits.length; i++) if (exits[i]!.text !== '') counts[i] = occurrences(text, exits[i]!.text);
  // Those that end most often, as many as the degree says: all but perhaps one.
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < exits.length; i++) {
    steps *= counts[i]!;
    least = Math.min(least, counts[i]!);
  }
  return exits.length > degree ? steps / least : steps;
}

/** So many exits are counted in one pass. */
const MOST_AT_ONCE = 4;
const counts = new Float64Array(MOST_AT_ONCE);
/** For each list of exits a bit for each of them by code unit. */
const unitBits = new WeakMap<readonly Exit[], Uint8Array>();

function bitsOf(exits: readonly Exit[]): Uint8Array {
  let bits = unitBits.get(exits);
  if (bits === undefined) {
    bits = new Uint8Array(ASCII + 1);
    for (let i = 0; i < exits.length; i++) if (exits[i]!.text === '') for (let unit = 0; unit <= ASCII; unit++) bits[unit]! |= exits[i]!.units[unit]! << i;
    unitBits.set(exits, bits);
  }
  return bits;
}

function countPlaces(text: string, exits: readonly Exit[]): void {
  const bits = bitsOf(exits);
  let a = 1,
    b = 1,
    c = 1,
    d = 1;
  for (let i = 0; i < text.length; i++) {
    const here = bits[Math.min(text.charCodeAt(i), ASCII)]!;
    if (here === 0) continue;
    a += here & 1;
    b += (here >> 1) & 1;
    c += (here >> 2) & 1;
    d += here >> 3;
  }
  counts[0] = a;
  counts[1] = b;
  counts[2] = c;
  counts[3] = d;
}

function places(text: string, units: Uint8Array): number {
  let count = 1;
  for (let i = 0; i < text.length; i++) count += units[Math.min(text.charCodeAt(i), ASCII)]!;
  return count;
}

function occurrences(text: string, part: string): number {
  if (part === '') return text.length + 1;
  let count = 1;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}
