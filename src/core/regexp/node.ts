/**
 * The tree of a pattern. Flags are gone from it: a letter that may have either case is a set of code points. Each node knows what it can begin with,
 * from which cost.ts tells whether an engine that goes back would do so often.
 */
import { type CodePoints, complement, EVERYTHING, NOTHING, union } from './code_points.ts';

export interface CharSet {
  /** What is listed; closed under case where case does not matter, but for `ignoreCase`. */
  readonly points: CodePoints;
  /** JavaScript source of the \p{...} that belong to it, beside the points. */
  readonly properties: string;
  readonly isNegated: boolean;
  /** The case of letters beyond ASCII does not matter: left to the engine. */
  readonly ignoreCase: boolean;
}

/** 'start' and 'end' are those of the text. */
export type Place = 'start' | 'end' | 'line_start' | 'line_end' | 'word' | 'not_word';

interface Base {
  /** What its first code point can be; more than that is allowed. */
  readonly first: CodePoints;
  /** Whether what comes behind it may come first: true where it may match nothing, but not for the end of the text, behind which nothing comes. */
  readonly passes: boolean;
  /** Whether it may match the empty text. */
  readonly isEmpty: boolean;
}
export interface SetNode extends Base {
  readonly kind: 'set';
  readonly set: CharSet;
}
export interface PlaceNode extends Base {
  readonly kind: 'place';
  readonly place: Place;
}
/** A group that captures. */
export interface GroupNode extends Base {
  readonly kind: 'group';
  readonly body: Node;
}
export interface RepeatNode extends Base {
  readonly kind: 'repeat';
  readonly body: Node;
  readonly min: number;
  readonly max: number;
  readonly isLazy: boolean;
}
export interface SequenceNode extends Base {
  readonly kind: 'sequence';
  readonly parts: readonly Node[];
}
export interface ChoiceNode extends Base {
  readonly kind: 'choice';
  readonly branches: readonly Node[];
}
export type Node = SetNode | PlaceNode | GroupNode | RepeatNode | SequenceNode | ChoiceNode;

/** The code points a set takes; everything where only the engine knows. */
export function pointsOf({ points, properties, isNegated, ignoreCase }: CharSet): CodePoints {
  if (properties !== '' || ignoreCase) return EVERYTHING;
  return isNegated ? complement(points) : points;
}

export function setNode(points: CodePoints, more: Partial<CharSet> = {}): SetNode {
  const set: CharSet = { points, properties: more.properties ?? '', isNegated: more.isNegated ?? false, ignoreCase: more.ignoreCase ?? false };
  return { kind: 'set', set, first: pointsOf(set), passes: false, isEmpty: false };
}

export function placeNode(place: Place): PlaceNode {
  return { kind: 'place', place, first: NOTHING, passes: place !== 'end', isEmpty: true };
}

export function groupNode(body: Node): GroupNode {
  return { kind: 'group', body, first: body.first, passes: body.passes, isEmpty: body.isEmpty };
}

export function repeatNode(body: Node, min: number, max: number, isLazy: boolean): RepeatNode {
  return { kind: 'repeat', body, min, max, isLazy, first: body.first, passes: body.passes || min === 0, isEmpty: body.isEmpty || min === 0 };
}

/** Sequences in sequences become one. */
export function sequenceNode(nodes: readonly Node[]): Node {
  if (nodes.length === 1) return nodes[0]!;
  const parts = nodes.flatMap((node) => (node.kind === 'sequence' ? node.parts : [node]));
  let first = NOTHING,
    passes = true;
  for (let i = 0; i < parts.length && passes; i++) {
    first = union(first, parts[i]!.first);
    passes = parts[i]!.passes;
  }
  return { kind: 'sequence', parts, first, passes, isEmpty: parts.every((part) => part.isEmpty) };
}

export function choiceNode(branches: readonly Node[]): Node {
  if (branches.length === 1) return branches[0]!;
  const first = branches.reduce((set: CodePoints, branch) => union(set, branch.first), NOTHING);
  return { kind: 'choice', branches, first, passes: branches.some((branch) => branch.passes), isEmpty: branches.some((branch) => branch.isEmpty) };
}

/** The text of a set with one member, else null. */
export function literalOf(node: Node): string | null {
  if (node.kind !== 'set') return null;
  const { points, isNegated, properties, ignoreCase } = node.set;
  if (isNegated || ignoreCase || properties !== '' || points.length !== 2 || points[0] !== points[1]) return null;
  return String.fromCodePoint(points[0]!);
}
