/** One row of CSV as Go's encoding/csv reads it. A line break outside of quotes belongs to the field: rows of a text are joined there. */

/** Throws an Error in Go's words. `lazyQuotes`: quotes may stand anywhere. */
export function readCsvRow(text: string, comma: string, lazyQuotes: boolean): string[] {
  if (/["\r\n\0\ufffd]/.test(comma)) throw new Error('read csv line: csv: invalid field or comment delimiter');
  if (text !== '' && !/["\r\n]/.test(text)) return text.split(comma);
  const reader = new Reader(text, comma, lazyQuotes),
    joined: string[] = [];
  let rows = 0;
  for (let row = reader.next(); row !== null; row = reader.next()) {
    if (rows++ === 0) joined.push(...row);
    else {
      joined[joined.length - 1] += `\n${row[0] ?? ''}`;
      joined.push(...row.slice(1));
    }
  }
  if (rows === 0) throw new Error('no csv lines found');
  return joined;
}

class Reader {
  readonly #lines: string[];
  readonly #comma: string;
  readonly #lazy: boolean;
  #next = 0;
  constructor(text: string, comma: string, lazy: boolean) {
    this.#lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    this.#comma = comma;
    this.#lazy = lazy;
  }
  #line(): string {
    const line = this.#lines[this.#next++];
    return line === undefined ? '' : line.replace(/\r\n$/, '\n').replace(/\r$/, '');
  }
  /** The fields before a fault are a row of their own, as long as there are any; null: no more lines. */
  next(): string[] | null {
    let line = '';
    while (line === '' || line === '\n') {
      if (this.#next >= this.#lines.length) return null;
      line = this.#line();
    }
    const fields: string[] = [],
      fault = this.#fields(line, fields);
    if (fault !== '' && fields.length === 0) throw new Error(`read csv line: parse error on line ${this.#next}: ${fault}`);
    return fields;
  }
  #fields(first: string, fields: string[]): string {
    let line = first;
    for (;;) {
      if (!line.startsWith('"')) {
        const end = line.indexOf(this.#comma),
          field = end < 0 ? line.replace(/\n$/, '') : line.slice(0, end);
        if (!this.#lazy && field.includes('"')) return 'bare " in non-quoted-field';
        fields.push(field);
        if (end < 0) return '';
        line = line.slice(end + this.#comma.length);
        continue;
      }
      let field = '',
        at = 1;
      for (;;) {
        const quote = line.indexOf('"', at);
        if (quote < 0) {
          field += line.slice(at);
          if (at < line.length && this.#next < this.#lines.length) {
            line = this.#line();
            at = 0;
            continue;
          }
          if (!this.#lazy) return 'extraneous or missing " in quoted-field';
          fields.push(field);
          return '';
        }
        field += line.slice(at, quote);
        at = quote + 1;
        if (line[at] === '"') {
          field += '"';
          at++;
        } else if (line.startsWith(this.#comma, at)) {
          fields.push(field);
          line = line.slice(at + this.#comma.length);
          break;
        } else if (at === line.length || line.slice(at) === '\n') {
          fields.push(field);
          return '';
        } else if (this.#lazy) field += '"';
        else return 'extraneous or missing " in quoted-field';
      }
    }
  }
}
