/**
 * Go's time layouts: the reference time "Mon Jan 2 15:04:05 MST 2006" says by example what stands where. Here a layout is taken apart; strptime's
 * directives (strptime.ts) become such layouts. Reading is in reader.ts, writing where times are written, in OTTL.
 */

/** What an element means. A 0 at the end: with a leading zero. */
export type Kind =
  | 'year'
  | 'year2'
  | 'month'
  | 'month0'
  | 'monthName'
  | 'monthLong'
  | 'day'
  | 'day0'
  | 'day_'
  | 'yearDay_'
  | 'yearDay0'
  | 'weekday'
  | 'weekdayLong'
  | 'hour'
  | 'hour12'
  | 'hour120'
  | 'minute'
  | 'minute0'
  | 'second'
  | 'second0'
  | 'fraction0'
  | 'fraction9'
  | 'PM'
  | 'pm'
  | 'zone'
  | 'offset';

export interface Step {
  /** Text before the element; a run of spaces in it stands for any number of them. */
  readonly prefix: string;
  /** The example, such as "2006" or ".000"; '' behind the last element, where `kind` is null. */
  readonly element: string;
  readonly kind: Kind | null;
}

/** Any offset, for strptime's %z: no example of Go's. */
export const ANY_OFFSET = '\ue000';

// Longest first where one begins like another.
const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|2006|__2|_2(?!006)|002|0[1-6]|15|[12345]|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|\ue000/g;
const KINDS: Readonly<Record<string, Kind>> = {
  January: 'monthLong',
  Jan: 'monthName',
  Monday: 'weekdayLong',
  Mon: 'weekday',
  MST: 'zone',
  2006: 'year',
  __2: 'yearDay_',
  _2: 'day_',
  '002': 'yearDay0',
  '01': 'month0',
  '02': 'day0',
  '03': 'hour120',
  '04': 'minute0',
  '05': 'second0',
  '06': 'year2',
  15: 'hour',
  1: 'month',
  2: 'day',
  3: 'hour12',
  4: 'minute',
  5: 'second',
  PM: 'PM',
  pm: 'pm',
};

export const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

export function parseLayout(layout: string): Step[] {
  const steps: Step[] = [];
  let copied = 0;
  for (const { 0: element, index } of layout.matchAll(ELEMENT)) {
    steps.push({ prefix: layout.slice(copied, index), element, kind: kindOf(element) });
    copied = index + element.length;
  }
  if (copied < layout.length) steps.push({ prefix: layout.slice(copied), element: '', kind: null });
  return steps;
}

function kindOf(element: string): Kind {
  if (element[0] === '.' || element[0] === ',') return element[1] === '0' ? 'fraction0' : 'fraction9';
  return KINDS[element] ?? 'offset';
}
