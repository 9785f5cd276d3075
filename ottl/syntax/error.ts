/** A fault in a statement or condition, found at start: what is wrong, and where, with a caret under the place. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  /** Offset in the statement; -1: the statement as a whole. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** `1:14: unexpected "x", expected ")"`, then the line of the statement and a caret under the column. */
export function describeFault(text: string, fault: unknown): string {
  const message = fault instanceof Error ? fault.message : String(fault);
  const offset = fault instanceof SyntaxFault ? Math.min(fault.offset, text.length) : -1;
  if (offset < 0) return `${message}\n    ${text.replaceAll('\n', '\n    ')}`;
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - (before.lastIndexOf('\n') + 1) + 1;
  const lineText = text.split('\n')[line - 1]!;
  return `${line}:${column}: ${message}\n    ${lineText}\n    ${' '.repeat(column - 1)}^`;
}

/** The candidate nearest in spelling, as `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  let best = '';
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === '' ? '' : `; did you mean "${best}"?`;
}
/** Levenshtein; anything from `limit` on is `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return Math.min(row[b.length]!, limit);
}
