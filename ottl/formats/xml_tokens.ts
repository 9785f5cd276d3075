/**
 * XML as tokens, with what Go's encoding/xml in strict mode accepts and refuses: tags must match, attributes be quoted, entities be known.
 * Absent: document types are skipped, not read; encodings other than UTF-8 are refused.
 */
import { fail } from '#ottl/values.ts';

export interface XmlName {
  readonly prefix: string;
  readonly local: string;
}
export interface XmlAttribute extends XmlName {
  readonly value: string;
}
export type XmlToken =
  | { readonly kind: 'start'; readonly name: XmlName; readonly attributes: XmlAttribute[] }
  | { readonly kind: 'end'; readonly name: XmlName }
  | { readonly kind: 'text' | 'cdata' | 'comment' | 'directive'; readonly data: string }
  | { readonly kind: 'instruction'; readonly target: string; readonly data: string };

/** Elements in elements; deeper documents are refused. */
export const MAX_XML_DEPTH = 1000;

const NAME = /[\p{L}_:][\p{L}\p{M}\p{N}_:.\-·]*/uy;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };
const ILLEGAL = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

export class XmlTokens {
  readonly #text: string;
  #at = 0;
  readonly #open: string[] = [];
  /** The name of an element that ended where it began. */
  #emptyElement: XmlName | null = null;

  constructor(text: string) {
    const illegal = ILLEGAL.exec(text);
    this.#text = text;
    if (illegal) this.#fail(`illegal character code U+${illegal[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`, illegal.index);
  }
  get atEnd(): boolean {
    return this.#at >= this.#text.length && this.#emptyElement === null;
  }
  #fail(message: string, at = this.#at): never {
    return fail(`XML syntax error on line ${this.#text.slice(0, at).split('\n').length}: ${message}`);
  }
  /** Null: the text is over. */
  next(): XmlToken | null {
    if (this.#emptyElement !== null) {
      const name = this.#emptyElement;
      this.#emptyElement = null;
      return { kind: 'end', name };
    }
    const text = this.#text,
      at = this.#at;
    if (at >= text.length) return this.#open.length > 0 ? this.#fail('unexpected EOF') : null;
    if (text[at] !== '<') return this.#characters();
    if (text.startsWith('<!--', at)) {
      const data = this.#until('-->', 4);
      return data.includes('--') ? this.#fail('invalid sequence "--" not allowed in comments') : { kind: 'comment', data };
    }
    if (text.startsWith('<![CDATA[', at)) return { kind: 'cdata', data: lineFeeds(this.#until(']]>', 9)) };
    if (text[at + 1] === '!') return { kind: 'directive', data: this.#directive() };
    if (text[at + 1] === '?') return this.#instruction();
    return text[at + 1] === '/' ? this.#end() : this.#start();
  }
  #until(mark: string, skip: number): string {
    const end = this.#text.indexOf(mark, this.#at + skip);
    if (end < 0) this.#fail('unexpected EOF');
    const data = this.#text.slice(this.#at + skip, end);
    this.#at = end + mark.length;
    return data;
  }
  #characters(): XmlToken {
    const next = this.#text.indexOf('<', this.#at),
      end = next < 0 ? this.#text.length : next,
      raw = this.#text.slice(this.#at, end);
    if (raw.includes(']]>')) this.#fail('unescaped ]]> not in CDATA section');
    const data = this.#unescape(raw);
    this.#at = end;
    return { kind: 'text', data };
  }
  #unescape(raw: string): string {
    const text = lineFeeds(raw);
    if (!text.includes('&')) return text;
    return text.replace(/&(#x[0-9a-fA-F]{1,8};|#\d{1,10};|[^&;\s]*;)?/g, (whole, entity: string | undefined) => {
      const name = entity?.slice(0, -1) ?? '';
      if (Object.hasOwn(ENTITIES, name)) return ENTITIES[name]!;
      const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : name.startsWith('#') ? Number(name.slice(1)) : -1;
      const bad = code < 0 || code > 0x10ffff || ILLEGAL.test(String.fromCodePoint(Math.min(code, 0x10ffff)));
      return bad ? this.#fail(`invalid character entity ${whole}${entity === undefined ? ' (no semicolon)' : ''}`) : String.fromCodePoint(code);
    });
  }
  #directive(): string {
    let depth = 0,
      quote = '';
    for (let i = this.#at + 2; i < this.#text.length; i++) {
      const c = this.#text[i]!;
      if (quote !== '') quote = c === quote ? '' : quote;
      else if (c === '"' || c === "'") quote = c;
      else if (c === '<') depth++;
      else if (c === '>' && depth-- === 0) {
        const data = this.#text.slice(this.#at + 2, i);
        this.#at = i + 1;
        return data;
      }
    }
    return this.#fail('unexpected EOF');
  }
  #instruction(): XmlToken {
    const whole = this.#until('?>', 2),
      target = /^[^\s?]+/.exec(whole)?.[0] ?? this.#fail('expected target name after <?');
    const data = whole.slice(target.length).trimStart();
    if (target === 'xml') {
      const version = /version\s*=\s*["']([^"']*)/.exec(data)?.[1],
        encoding = /encoding\s*=\s*["']([^"']*)/.exec(data)?.[1];
      if (version !== undefined && version !== '1.0') fail(`xml: unsupported version "${version}"; only version 1.0 is supported`);
      if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') fail(`xml: encoding "${encoding}" declared but only utf-8 is supported`);
    }
    return { kind: 'instruction', target, data };
  }
  #name(what: string): XmlName & { readonly whole: string } {
    NAME.lastIndex = this.#at;
    const whole = NAME.exec(this.#text)?.[0] ?? this.#fail(what);
    const parts = whole.split(':');
    if (parts.length > 2) this.#fail(what);
    this.#at += whole.length;
    // A colon at either end is a part of the name.
    return parts.length === 2 && parts[0] !== '' && parts[1] !== '' ? { whole, prefix: parts[0]!, local: parts[1]! } : { whole, prefix: '', local: whole };
  }
  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
  #end(): XmlToken {
    this.#at += 2;
    const { whole, prefix, local } = this.#name('expected element name after </'),
      open = this.#open.pop();
    this.#space();
    if (this.#text[this.#at++] !== '>') this.#fail(`invalid characters between </${whole} and >`);
    if (open === undefined) this.#fail(`unexpected end element </${whole}>`);
    if (open !== whole) this.#fail(`element <${open}> closed by </${whole}>`);
    return { kind: 'end', name: { prefix, local } };
  }
  #start(): XmlToken {
    this.#at++;
    const { whole, prefix, local } = this.#name('expected element name after <'),
      name = { prefix, local },
      attributes: XmlAttribute[] = [];
    if (this.#open.length >= MAX_XML_DEPTH) fail(`exceeded maximum XML nesting depth of ${MAX_XML_DEPTH}`);
    for (;;) {
      this.#space();
      const c = this.#text[this.#at];
      if (c === '>') {
        this.#at++;
        this.#open.push(whole);
        return { kind: 'start', name, attributes };
      }
      if (c === '/') {
        if (this.#text[this.#at + 1] !== '>') this.#fail('expected /> in element');
        this.#at += 2;
        this.#emptyElement = name;
        return { kind: 'start', name, attributes };
      }
      if (c === undefined) this.#fail('unexpected EOF');
      attributes.push(this.#attribute());
    }
  }
  #attribute(): XmlAttribute {
    const { prefix, local } = this.#name('expected attribute name in element');
    this.#space();
    if (this.#text[this.#at++] !== '=') this.#fail('attribute name without = in element');
    this.#space();
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") this.#fail('unquoted or missing attribute value in element');
    const raw = this.#until(quote, 1);
    return { prefix, local, value: raw.includes('<') ? this.#fail('unescaped < inside quoted string') : this.#unescape(raw) };
  }
}

const lineFeeds = (text: string): string => (text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text);
