/**
 * XML as a tree that is changed and written again, with the habits of the Collector's library: a declaration that the text does not have is
 * not written, what stands before the first element without one is dropped, empty elements are written with an end tag.
 */
import { fail } from '#ottl/values.ts';
import { type XmlAttribute, type XmlToken, XmlTokens } from './xml_tokens.ts';

export type XmlKind = 'document' | 'declaration' | 'element' | 'text' | 'cdata' | 'comment' | 'directive' | 'instruction';

/** Siblings are a chain: nodes that are moved take their place in the new chain, and the old one is what is left of it. */
export class XmlNode {
  kind: XmlKind;
  prefix = '';
  /** An element's local name, an instruction's target; of all others the text. */
  data: string;
  attributes: XmlAttribute[] = [];
  parent: XmlNode | null = null;
  first: XmlNode | null = null;
  last: XmlNode | null = null;
  next: XmlNode | null = null;
  previous: XmlNode | null = null;
  constructor(kind: XmlKind, data: string) {
    this.kind = kind;
    this.data = data;
  }
  append(child: XmlNode): void {
    child.parent = this;
    child.next = null;
    child.previous = this.last;
    if (this.last) this.last.next = child;
    else this.first = child;
    this.last = child;
  }
  remove(): void {
    const { parent, previous, next } = this;
    if (!parent) return;
    if (parent.first === this) parent.first = next;
    if (parent.last === this) parent.last = previous;
    if (previous) previous.next = next;
    if (next) next.previous = previous;
    this.parent = this.previous = this.next = null;
  }
  /** An attribute without a prefix. */
  removeAttribute(name: string): void {
    this.attributes = this.attributes.filter(({ prefix, local }) => prefix !== '' || local !== name);
  }
  *children(): Generator<XmlNode> {
    for (let child = this.first; child; child = child.next) yield child;
  }
  textInside(): string {
    if (this.kind === 'text' || this.kind === 'cdata') return this.data;
    if (this.kind === 'comment') return '';
    let text = '';
    for (let child = this.first; child; child = child.next) text += child.textInside();
    return text;
  }
  /** What is inside, as XML. */
  innerXml(): string {
    const out: string[] = [],
      keeps = keepsSpaces(this, true);
    for (let child = this.first; child; child = child.next) write(child, keeps, out);
    return out.join('');
  }
}

/** Throws OttlError, "parse xml: …". */
export function parseXmlTree(text: string): XmlNode {
  try {
    return build(new XmlTokens(text), text.startsWith('<?xml'));
  } catch (error) {
    return fail(`parse xml: ${(error as Error).message}`);
  }
}

function build(tokens: XmlTokens, keepsFirst: boolean): XmlNode {
  const document = new XmlNode('document', '');
  const scopes: ReadonlySet<string>[] = [new Set(['', 'xml', 'xmlns'])];
  let parent = document,
    started = false;
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    if (token.kind === 'end') {
      parent = parent.parent!;
      scopes.pop();
      continue;
    }
    // The first child stands for the declaration, be it there or not.
    if (!started && token.kind === 'start') document.append(new XmlNode('declaration', 'xml'));
    started ||= token.kind === 'start' || token.kind === 'instruction';
    if (!started) continue;
    const node = nodeOf(token);
    parent.append(node);
    if (token.kind !== 'start') continue;
    const declared = token.attributes.filter(({ prefix }) => prefix === 'xmlns').map(({ local }) => local);
    scopes.push(declared.length > 0 ? new Set([...scopes.at(-1)!, ...declared]) : scopes.at(-1)!);
    if (!scopes.at(-1)!.has(node.prefix)) fail(`xmlquery: invalid XML document, namespace ${node.prefix} is missing`);
    parent = node;
  }
  if (![...document.children()].some(({ kind }) => kind === 'element')) fail('xmlquery: invalid XML document');
  if (!keepsFirst) document.first?.remove();
  return document;
}

function nodeOf(token: Exclude<XmlToken, { kind: 'end' }>): XmlNode {
  if (token.kind === 'start') {
    const node = new XmlNode('element', token.name.local);
    node.prefix = token.name.prefix;
    node.attributes = token.attributes;
    return node;
  }
  if (token.kind !== 'instruction') return new XmlNode(token.kind, token.data);
  const node = new XmlNode(token.target === 'xml' ? 'declaration' : 'instruction', token.target);
  if (token.target !== 'xml') node.attributes = [{ prefix: '', local: '', value: token.data.trim() }];
  else
    for (const [, local, value] of token.data.matchAll(/([^\s=]+)=["']?([^\s"']*)["']?/g)) node.attributes.push({ prefix: '', local: local!, value: value! });
  return node;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', "'": '&#39;', '<': '&lt;', '>': '&gt;', '"': '&#34;' };
const escapeXml = (text: string): string => text.replace(/[&'<>"]/g, (c) => ESCAPES[c]!);

function keepsSpaces(node: XmlNode, above: boolean): boolean {
  const space = node.attributes.find(({ prefix, local }) => prefix === 'xml' && local === 'space')?.value;
  return space === 'preserve' ? true : space === 'default' ? false : above;
}

function write(node: XmlNode, keepsAbove: boolean, out: string[]): void {
  const keeps = keepsSpaces(node, keepsAbove);
  switch (node.kind) {
    case 'text':
      out.push(escapeXml(keeps ? node.data : node.data.trim()));
      return;
    case 'cdata':
      out.push(`<![CDATA[${node.data}]]>`);
      return;
    case 'comment':
      out.push(`<!--${node.data}-->`);
      return;
    case 'directive':
      out.push(`<!${node.data}>`);
      return;
    case 'instruction': {
      const inside = node.attributes[0]!.value;
      out.push(inside === '' ? `<?${node.data}?>` : `<?${node.data} ${inside}?>`);
      return;
    }
  }
  const name = node.prefix === '' ? node.data : `${node.prefix}:${node.data}`;
  const attributes = node.attributes.map(({ prefix, local, value }) => ` ${prefix === '' ? '' : `${prefix}:`}${local}="${escapeXml(value)}"`).join('');
  if (node.kind === 'declaration') {
    out.push(`<?${name}${attributes}?>`);
    return;
  }
  out.push(`<${name}${attributes}>`);
  for (let child = node.first; child; child = child.next) write(child, keeps, out);
  out.push(`</${name}>`);
}
