/** One row of CSV, read as Go's encoding/csv does. Rows of a text of several lines are joined at the line breaks into one. */

export function readCsv(text: string, comma: string, lazy: boolean): string[] {
  const joined: string[] = [];
  let at = 0,
    rows = 0;
  while (at < text.length) {
    if (text[at] === '\n') {
      at++; // An empty line is no row.
      continue;
    }
    const row: string[] = [];
    at = readRow(text, at, comma, lazy, row);
    if (rows++ === 0) joined.push(...row);
    else {
      joined[joined.length - 1] += `\n${row[0] ?? ''}`;
      joined.push(...row.slice(1));
    }
  }
  return joined;
}

/** Reads one row into `row`; returns where the next begins. */
function readRow(text: string, start: number, comma: string, lazy: boolean, row: string[]): number {
  let at = start;
  for (;;) {
    if (text[at] === '"') {
      at++;
      let field = '';
      for (;;) {
        const end = text.indexOf('"', at);
        if (end < 0) {
          if (!lazy) throw new Error('extraneous or missing " in quoted-field');
          row.push(field + text.slice(at));
          return text.length;
        }
        field += text.slice(at, end);
        at = end + 1;
        if (text[at] === '"') {
          field += '"';
          at++;
        } else if (text.startsWith(comma, at)) {
          row.push(field);
          at += comma.length;
          break;
        } else if (at >= text.length || text[at] === '\n') {
          row.push(field);
          return at + 1;
        } else if (lazy) field += '"';
        else throw new Error('extraneous or missing " in quoted-field');
      }
      continue;
    }
    const lineEnd = text.indexOf('\n', at),
      end = lineEnd < 0 ? text.length : lineEnd,
      next = text.indexOf(comma, at);
    const fieldEnd = next >= 0 && next < end ? next : end,
      field = text.slice(at, fieldEnd);
    if (!lazy && field.includes('"')) throw new Error('bare " in non-quoted-field');
    if (fieldEnd === next) {
      row.push(field);
      at = next + comma.length;
      continue;
    }
    row.push(field.endsWith('\r') && lineEnd >= 0 ? field.slice(0, -1) : field);
    return end + 1;
  }
}
