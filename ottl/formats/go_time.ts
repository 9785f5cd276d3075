/** Writes times by Go's layouts (src/helper/time/layout.ts). */
import { timeParts } from '#ottl/time_parts.ts';
import type { Time } from '#ottl/values.ts';
import { DAYS, MONTHS, parseLayout, type Step } from '#src/helper/time/layout.ts';

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
  return formatSteps(time, parseLayout(layout));
}
export function formatSteps(time: Time, steps: readonly Step[]): string {
  const parts = timeParts(time),
    { offset } = time,
    hour12 = parts.hour % 12 || 12;
  let out = '';
  for (const { prefix, element: text, kind } of steps) {
    out += prefix;
    if (kind === null) continue;
    if (kind === 'fraction0' || kind === 'fraction9') {
      const digits = String(parts.nanosecond)
        .padStart(9, '0')
        .slice(0, text.length - 1)
        .padEnd(text.length - 1, '0');
      const kept = kind === 'fraction9' ? digits.replace(/0+$/, '') : digits;
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
      return time.zone.abbreviationAt(time.seconds) || offsetText('-0700', offset);
    default:
      return offsetText(element, offset);
  }
}
