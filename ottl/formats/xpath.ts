/**
 * Which nodes of a tree an XPath expression selects: in the order of the document, but `|` puts the nodes of its right side behind those of its left,
 * and axes that go backwards begin at the nearest.
 */
import { fail } from '#ottl/values.ts';
import type { XmlNode } from './xml_tree.ts';
import { type Axis, parseXPath, type Step, type XPath } from './xpath_parse.ts';

/** An attribute as a node; its text is a child of nobody. */
export class XmlAttributeNode {
  readonly kind = 'attribute';
  readonly owner: XmlNode;
  readonly prefix: string;
  readonly local: string;
  readonly value: string;
  constructor(owner: XmlNode, prefix: string, local: string, value: string) {
    this.owner = owner;
    this.prefix = prefix;
    this.local = local;
    this.value = value;
  }
}
export type Selected = XmlNode | XmlAttributeNode;
type Result = Selected[] | string | number | boolean;
interface Focus {
  readonly node: Selected;
  readonly position: number;
  readonly size: number;
}

/** As much work as one selection may do: visits of nodes. Predicates on // multiply. */
const MAX_VISITS = 5_000_000;

export class Selector {
  readonly #parsed: XPath;
  /** Throws OttlError, "invalid xpath: …". */
  constructor(source: string) {
    this.#parsed = parseXPath(source);
  }
  select(document: XmlNode): Selected[] {
    const found = new Evaluation(document).evaluate(this.#parsed, { node: document, position: 1, size: 1 });
    return Array.isArray(found) ? found : [];
  }
}

const textOf = (node: Selected): string => (node instanceof XmlAttributeNode ? node.value : node.kind === 'comment' ? node.data : node.textInside());

function toText(value: Result): string {
  if (Array.isArray(value)) return value.length > 0 ? textOf(value[0]!) : '';
  if (typeof value === 'number') return Number.isNaN(value) ? 'NaN' : String(value);
  return String(value);
}
function toNumber(value: Result): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = toText(value).trim();
  return /^-?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}
const toBoolean = (value: Result): boolean =>
  typeof value === 'number' ? value !== 0 && !Number.isNaN(value) : typeof value === 'boolean' ? value : value.length > 0;

class Evaluation {
  readonly #document: XmlNode;
  #visits = 0;
  #order: Map<XmlNode, number> | null = null;
  readonly #attributes = new Map<XmlNode, XmlAttributeNode[]>();
  constructor(document: XmlNode) {
    this.#document = document;
  }

  evaluate(expression: XPath, focus: Focus): Result {
    switch (expression.kind) {
      case 'text':
      case 'number':
        return expression.value;
      case 'negate':
        return -toNumber(this.evaluate(expression.of, focus));
      case 'path': {
        const from =
          expression.from === 'root' ? [this.#document as Selected] : expression.from === 'here' ? [focus.node] : this.#nodes(expression.from, focus);
        return expression.steps.reduce<Selected[]>((nodes, step) => this.#step(nodes, step), from);
      }
      case 'filter':
        return this.#filter(this.#nodes(expression.of, focus), expression.predicates);
      case 'call':
        return this.#call(expression.name, expression.args, focus);
      case 'binary':
        return this.#binary(expression.op, expression.left, expression.right, focus);
    }
  }
  #nodes(expression: XPath, focus: Focus): Selected[] {
    const value = this.evaluate(expression, focus);
    return Array.isArray(value) ? value : fail('xpath: a set of nodes is needed');
  }

  #step(from: readonly Selected[], step: Step): Selected[] {
    const found: Selected[] = [];
    for (const node of from)
      found.push(
        ...this.#filter(
          this.#along(node, step.axis).filter((one) => this.#matches(one, step)),
          step.predicates,
        ),
      );
    return from.length > 1 ? this.#sorted(found) : found;
  }
  #matches(node: Selected, { axis, test }: Step): boolean {
    if (++this.#visits > MAX_VISITS) fail('xpath: too much work for one document');
    const isNamed = node instanceof XmlAttributeNode || node.kind === 'element';
    switch (test) {
      case 'node()':
        return true;
      case 'text()':
        return node.kind === 'text' || node.kind === 'cdata';
      case 'comment()':
        return node.kind === 'comment';
      case 'processing-instruction()':
        return node.kind === 'instruction';
      case '*':
        return isNamed && (axis === 'attribute') === (node.kind === 'attribute');
    }
    if (!isNamed) return false;
    const local = node instanceof XmlAttributeNode ? node.local : node.data;
    const colon = test.indexOf(':');
    return colon < 0
      ? local === test && node.prefix === ''
      : node.prefix === test.slice(0, colon) && (test.slice(colon + 1) === '*' || local === test.slice(colon + 1));
  }
  /** In the direction of the axis: the nearest first. */
  #along(node: Selected, axis: Axis): Selected[] {
    if (node instanceof XmlAttributeNode) {
      if (axis === 'self' || axis === 'descendant-or-self') return [node];
      if (axis === 'parent') return [node.owner];
      return axis === 'ancestor' || axis === 'ancestor-or-self'
        ? [...(axis === 'ancestor-or-self' ? [node] : []), node.owner, ...this.#along(node.owner, 'ancestor')]
        : [];
    }
    const found: Selected[] = [];
    switch (axis) {
      case 'self':
        return [node];
      case 'child':
        return [...node.children()];
      case 'attribute':
        return this.#attributesOf(node);
      case 'parent':
        return node.parent ? [node.parent] : [];
      case 'descendant':
      case 'descendant-or-self':
        if (axis === 'descendant-or-self') found.push(node);
        descend(node, found);
        return found;
      case 'ancestor':
      case 'ancestor-or-self':
        for (let up = axis === 'ancestor' ? node.parent : node; up; up = up.parent) found.push(up);
        return found;
      case 'following-sibling':
        for (let one = node.next; one; one = one.next) found.push(one);
        return found;
      case 'preceding-sibling':
        for (let one = node.previous; one; one = one.previous) found.push(one);
        return found;
      case 'following':
        for (let up: XmlNode | null = node; up; up = up.parent)
          for (let one = up.next; one; one = one.next) {
            found.push(one);
            descend(one, found);
          }
        return found;
      case 'preceding':
        for (let up: XmlNode | null = node; up; up = up.parent)
          for (let one = up.previous; one; one = one.previous) {
            const inside: Selected[] = [one];
            descend(one, inside);
            found.push(...inside.reverse());
          }
        return found;
    }
  }
  #attributesOf(node: XmlNode): XmlAttributeNode[] {
    let list = this.#attributes.get(node);
    if (list === undefined) {
      list = node.kind !== 'element' ? [] : node.attributes.map(({ prefix, local, value }) => new XmlAttributeNode(node, prefix, local, value));
      this.#attributes.set(node, list);
    }
    return list;
  }
  #filter(nodes: readonly Selected[], predicates: readonly XPath[]): Selected[] {
    let kept = [...nodes];
    for (const predicate of predicates) {
      const size = kept.length;
      kept = kept.filter((node, i) => {
        const value = this.evaluate(predicate, { node, position: i + 1, size });
        return typeof value === 'number' ? value === i + 1 : toBoolean(value);
      });
    }
    return kept;
  }
  /** In the order of the document, each once. */
  #sorted(nodes: readonly Selected[]): Selected[] {
    if (this.#order === null) {
      const all: Selected[] = [this.#document];
      descend(this.#document, all);
      this.#order = new Map(all.map((node, i) => [node as XmlNode, i]));
    }
    const order = this.#order;
    const place = (node: Selected): number =>
      node instanceof XmlAttributeNode ? order.get(node.owner)! + (1 + this.#attributesOf(node.owner).indexOf(node)) / 1e6 : (order.get(node) ?? 0);
    return [...new Set(nodes)].sort((a, b) => place(a) - place(b));
  }

  #binary(op: string, left: XPath, right: XPath, focus: Focus): Result {
    if (op === 'or') return toBoolean(this.evaluate(left, focus)) || toBoolean(this.evaluate(right, focus));
    if (op === 'and') return toBoolean(this.evaluate(left, focus)) && toBoolean(this.evaluate(right, focus));
    if (op === '|') return [...new Set([...this.#nodes(left, focus), ...this.#nodes(right, focus)])];
    const a = this.evaluate(left, focus),
      b = this.evaluate(right, focus);
    switch (op) {
      case '+':
        return toNumber(a) + toNumber(b);
      case '-':
        return toNumber(a) - toNumber(b);
      case '*':
        return toNumber(a) * toNumber(b);
      case 'div':
        return toNumber(a) / toNumber(b);
      case 'mod':
        return toNumber(a) % toNumber(b);
      default:
        return compare(op, a, b);
    }
  }

  #call(name: string, args: readonly XPath[], focus: Focus): Result {
    const value = (i: number): Result => (args[i] ? this.evaluate(args[i], focus) : [focus.node]);
    const text = (i: number): string => toText(value(i));
    const named = (pick: (node: Selected) => string): string => {
      const nodes = value(0);
      return Array.isArray(nodes) && nodes[0] ? pick(nodes[0]) : '';
    };
    const local = (node: Selected): string => (node instanceof XmlAttributeNode ? node.local : node.kind === 'element' ? node.data : '');
    switch (name) {
      case 'last':
        return focus.size;
      case 'position':
        return focus.position;
      case 'count':
        return this.#nodes(args[0] ?? fail('xpath: count() needs nodes'), focus).length;
      case 'sum':
        return this.#nodes(args[0] ?? fail('xpath: sum() needs nodes'), focus).reduce((sum, node) => sum + toNumber(textOf(node)), 0);
      case 'name':
        return named((node) => (node.prefix === '' ? local(node) : `${node.prefix}:${local(node)}`));
      case 'local-name':
        return named(local);
      case 'namespace-uri':
        return '';
      case 'string':
        return text(0);
      case 'concat':
        return args.map((_, i) => text(i)).join('');
      case 'string-join':
        return this.#nodes(args[0]!, focus).map(textOf).join(text(1));
      case 'starts-with':
        return text(0).startsWith(text(1));
      case 'ends-with':
        return text(0).endsWith(text(1));
      case 'contains':
        return text(0).includes(text(1));
      case 'substring': {
        const start = Math.round(toNumber(value(1))),
          end = args[2] ? start + Math.round(toNumber(value(2))) : Infinity;
        return [...text(0)].filter((_, i) => i + 1 >= start && i + 1 < end).join('');
      }
      case 'substring-before':
        return text(0).includes(text(1)) ? text(0).slice(0, text(0).indexOf(text(1))) : '';
      case 'substring-after':
        return text(0).includes(text(1)) ? text(0).slice(text(0).indexOf(text(1)) + text(1).length) : '';
      case 'string-length':
        return [...text(0)].length;
      case 'normalize-space':
        return text(0).trim().replace(/\s+/g, ' ');
      case 'translate': {
        const from = [...text(1)],
          to = [...text(2)];
        return [...text(0)].map((c) => (from.includes(c) ? (to[from.indexOf(c)] ?? '') : c)).join('');
      }
      case 'lower-case':
        return text(0).toLowerCase();
      case 'upper-case':
        return text(0).toUpperCase();
      case 'reverse':
        return [...this.#nodes(args[0]!, focus)].reverse();
      case 'boolean':
        return toBoolean(value(0));
      case 'not':
        return !toBoolean(value(0));
      case 'number':
        return toNumber(value(0));
      case 'floor':
        return Math.floor(toNumber(value(0)));
      case 'ceiling':
        return Math.ceil(toNumber(value(0)));
      case 'round':
        return Math.round(toNumber(value(0)));
      default:
        return name === 'true';
    }
  }
}

function descend(node: XmlNode, into: Selected[]): void {
  for (let child = node.first; child; child = child.next) {
    into.push(child);
    descend(child, into);
  }
}

/** A set compares as true where one of its nodes does. */
function compare(op: string, a: Result, b: Result): boolean {
  if (Array.isArray(a) && typeof b !== 'boolean') return a.some((node) => compare(op, textOf(node), b));
  if (Array.isArray(b) && typeof a !== 'boolean') return b.some((node) => compare(op, a, textOf(node)));
  if (op === '=' || op === '!=') {
    const same =
      typeof a === 'boolean' || typeof b === 'boolean'
        ? toBoolean(a) === toBoolean(b)
        : typeof a === 'number' || typeof b === 'number'
          ? toNumber(a) === toNumber(b)
          : a === b;
    return same === (op === '=');
  }
  const x = toNumber(a),
    y = toNumber(b);
  return op === '<' ? x < y : op === '<=' ? x <= y : op === '>' ? x > y : x >= y;
}
