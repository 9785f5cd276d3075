/** strptime's directives, as the Collector has them, as layouts of Go's (layout.ts), which is what decides what they mean. */

/** What a directive writes. */
const WRITTEN: Readonly<Record<string, string>> = {
  Y: '2006',
  y: '06',
  m: '01',
  o: '_1',
  q: '1',
  b: 'Jan',
  h: 'Jan',
  B: 'January',
  d: '02',
  e: '_2',
  g: '2',
  a: 'Mon',
  A: 'Monday',
  H: '15',
  l: '3',
  I: '03',
  p: 'PM',
  P: 'pm',
  M: '04',
  S: '05',
  L: '999',
  f: '999999',
  s: '999999999',
  Z: 'MST',
  z: 'Z0700',
  w: '-070000',
  i: '-07',
  j: '-07:00',
  k: '-07:00:00',
  D: '01/02/2006',
  x: '01/02/2006',
  F: '2006-01-02',
  T: '15:04:05',
  X: '15:04:05',
  r: '03:04:05 pm',
  R: '15:04',
  n: '\n',
  t: '\t',
  '%': '%',
  c: 'Mon Jan 02 15:04:05 2006',
};
/** What a directive reads, where that is more than what it writes: numbers without their leading zeros, any form of an offset (ANY_OFFSET). */
const READ: Readonly<Record<string, string>> = {
  m: '1',
  o: '1',
  d: '2',
  e: '2',
  I: '3',
  M: '4',
  S: '5',
  z: '\ue000',
  D: '1/2/2006',
  x: '1/2/2006',
  F: '2006-1-2',
  T: '15:4:5',
  X: '15:4:5',
  r: '3:4:5 pm',
  R: '15:4',
  c: 'Mon Jan 2 15:4:5 2006',
};
const SHORT_YEAR: Readonly<Record<string, string>> = { ...READ, D: '1/2/06', x: '1/2/06' };

/** Throws an Error where a directive is unknown or misplaced. */
export function checkStrptime(format: string): void {
  if (/\d/.test(format)) throw new Error('format string should not contain decimals');
  const fraction = /[^.,]%[Lfs]/.exec(format);
  if (fraction !== null) throw new Error(`invalid fractional seconds directive: '${fraction[0]}'. must be preceded with '.' or ','`);
  const unknown = (format.match(/%./g) ?? []).filter((directive) => !Object.hasOwn(WRITTEN, directive[1]!));
  if (unknown.length > 0)
    throw new Error(`invalid strptime format: [${unknown.map((directive) => `unsupported ctimefmt.toNative() directive: ${directive}`).join(' ')}]`);
}

const replaced = (format: string, table: Readonly<Record<string, string>>): string =>
  format.replace(/%(.)/g, (_directive, letter: string) => table[letter] ?? WRITTEN[letter]!);

export function layoutToWrite(format: string): string {
  return replaced(format, WRITTEN);
}
/** In the order in which they are tried. */
export function layoutsToRead(format: string): string[] {
  const layouts = [replaced(format, READ)];
  if (/%[Dx]/.test(format)) layouts.push(replaced(format, SHORT_YEAR));
  return layouts;
}
