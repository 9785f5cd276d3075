/** What a query can fail with. Callers turn the kind into a status: a parse error is the user's (400), an execution error is 422, a timeout 503. */

/** A fault of the query text. The message begins with "line:column: parse error: ", as Prometheus words it. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
}

/** The query is well formed and cannot be answered. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly kind: 'execution' | 'timeout' | 'canceled' | 'unavailable';
  constructor(message: string, kind: 'execution' | 'timeout' | 'canceled' | 'unavailable' = 'execution') {
    super(message);
    this.kind = kind;
  }
}

/** "line:column" of a character offset, both from 1. */
export function position(query: string, offset: number): string {
  if (offset > query.length) return 'invalid position';
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < offset; i++) {
    if (query.charCodeAt(i) === 10) {
      line++;
      lineStart = i + 1;
    }
  }
  return `${line}:${offset - lineStart + 1}`;
}

export function parseErrorAt(query: string, offset: number, message: string): ParseError {
  return new ParseError(`${query.trim() === '' ? 'unknown position' : position(query, offset)}: parse error: ${message}`);
}
