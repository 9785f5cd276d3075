/**
 * Go's time layouts: the reference time "Mon Jan 2 15:04:05 MST 2006" says by example what stands where. Taking a layout apart, writing a time,
 * and reading one (read_time.ts).
 */
import { timeParts } from '#ottl/time_parts.ts';
import type { Time } from '#ottl/values.ts';

/** A piece of a layout: plain text, or the example that stands for an element. `fraction` has its separator and digits in `text`. */
export interface Piece {
  readonly kind: 'text' | 'element' | 'fraction';
  readonly text: string;
}

// Longest first where one begins like another. The last one is no Go: any offset, for strptime's %z.
const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|2006|__2|_2(?!006)|002|0[1-6]|15|[12345]|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|\ue000/g;

export function layoutPieces(layout: string): Piece[] {
  const pieces: Piece[] = [];
  let copied = 0;
  for (const { 0: text, index } of layout.matchAll(ELEMENT)) {
    if (index > copied) pieces.push({ kind: 'text', text: layout.slice(copied, index) });
    pieces.push({ kind: /^[.,]/.test(text) ? 'fraction' : 'element', text });
    copied = index + text.length;
  }
  if (copied < layout.length) pieces.push({ kind: 'text', text: layout.slice(copied) });
  return pieces;
}

export const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const two = (value: number): string => String(value).padStart(2, '0');

function offsetText(form: string, offset: number): string {
  if (form[0] === 'Z' && offset === 0) return 'Z';
  const size = Math.abs(offset),
    colon = form.includes(':') ? ':' : '',
    digits = form.replace(/\D/g, '').length;
  const parts = [two(Math.trunc(size / 3600)), two(Math.trunc(size / 60) % 60), two(size % 60)].slice(0, digits / 2);
  return (offset < 0 ? '-' : '+') + parts.join(colon);
}

export function formatGoTime(time: Time, layout: string): string {
  return formatPieces(time, layoutPieces(layout));
}
export function formatPieces(time: Time, pieces: readonly Piece[]): string {
  const parts = timeParts(time),
    offset = time.zone.offsetSeconds(time.unixNano),
    hour12 = parts.hour % 12 || 12;
  let out = '';
  for (const { kind, text } of pieces) {
    if (kind === 'text') out += text;
    else if (kind === 'fraction') {
      const digits = String(parts.nanosecond)
        .padStart(9, '0')
        .slice(0, text.length - 1)
        .padEnd(text.length - 1, '0');
      const kept = text[1] === '9' ? digits.replace(/0+$/, '') : digits;
      if (kept !== '') out += text[0] + kept;
    } else out += elementText(text, parts, offset, hour12, time);
  }
  return out;
}

function elementText(element: string, parts: ReturnType<typeof timeParts>, offset: number, hour12: number, time: Time): string {
  switch (element) {
    case '2006':
      return parts.year < 0 ? `-${String(-parts.year).padStart(4, '0')}` : String(parts.year).padStart(4, '0');
    case '06':
      return two(((parts.year % 100) + 100) % 100);
    case 'January':
      return MONTHS[parts.month - 1]!;
    case 'Jan':
      return MONTHS[parts.month - 1]!.slice(0, 3);
    case '01':
      return two(parts.month);
    case '1':
      return String(parts.month);
    case 'Monday':
      return DAYS[parts.weekday]!;
    case 'Mon':
      return DAYS[parts.weekday]!.slice(0, 3);
    case '02':
      return two(parts.day);
    case '_2':
      return String(parts.day).padStart(2);
    case '2':
      return String(parts.day);
    case '002':
      return String(parts.yearDay).padStart(3, '0');
    case '__2':
      return String(parts.yearDay).padStart(3);
    case '15':
      return two(parts.hour);
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(parts.minute);
    case '4':
      return String(parts.minute);
    case '05':
      return two(parts.second);
    case '5':
      return String(parts.second);
    case 'PM':
      return parts.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return parts.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return time.zone.abbreviation(time.unixNano) || offsetText('-0700', offset);
    default:
      return offsetText(element, offset);
  }
}
