/** Names of months, days and halves of a day in other languages, turned to English before a time is read. The names are the system's CLDR data. */
import { fail } from '#ottl/values.ts';
import { DAYS, MONTHS, type Step } from '#src/helper/time/layout.ts';

type Name = 'January' | 'Jan' | 'Monday' | 'Mon' | 'PM';
/** Lower-case foreign names, the longest first, with the English one. */
export type LocaleNames = Readonly<Record<Name, readonly (readonly [string, string])[]>>;

/** Throws OttlError where the tag is malformed or names no language that is known. */
export function localeNames(tag: string): LocaleNames {
  let known: string[];
  try {
    known = Intl.DateTimeFormat.supportedLocalesOf(tag);
  } catch (error) {
    return fail(`invalid locale '${tag}': ${(error as Error).message}`);
  }
  if (known.length === 0) fail(`unsupported locale '${tag}', value must be a supported BCP 47 language tag`);
  const month = (i: number): Date => new Date(Date.UTC(2023, i, 15)),
    day = (i: number): Date => new Date(Date.UTC(2023, 0, 1 + i));
  const names = (english: readonly string[], date: (i: number) => Date, part: 'month' | 'weekday', width: 'long' | 'short') => {
    const alone = new Intl.DateTimeFormat(tag, { timeZone: 'UTC', [part]: width });
    // Beside a number many languages use another form of the name.
    const beside = new Intl.DateTimeFormat(tag, { timeZone: 'UTC', [part]: width, day: 'numeric' });
    return sorted(
      english.flatMap((name, i) =>
        [alone, beside].map(
          (format) =>
            [format.formatToParts(date(i)).find(({ type }) => type === part)?.value ?? '', width === 'short' ? name.slice(0, 3) : name] as [string, string],
        ),
      ),
    );
  };
  const hours = new Intl.DateTimeFormat(tag, { timeZone: 'UTC', hour: 'numeric', hourCycle: 'h12' });
  const half = (hour: number): string => hours.formatToParts(new Date(Date.UTC(2023, 0, 1, hour))).find(({ type }) => type === 'dayPeriod')?.value ?? '';
  return {
    January: names(MONTHS, month, 'month', 'long'),
    Jan: names(MONTHS, month, 'month', 'short'),
    Monday: names(DAYS, day, 'weekday', 'long'),
    Mon: names(DAYS, day, 'weekday', 'short'),
    PM: sorted([
      [half(9), 'AM'],
      [half(21), 'PM'],
    ]),
  };
}

function sorted(pairs: readonly [string, string][]): [string, string][] {
  const full = pairs
    .filter(([foreign]) => foreign !== '')
    .flatMap(([foreign, english]): [string, string][] => {
      const lower = foreign.toLowerCase();
      return lower.endsWith('.')
        ? [
            [lower, english],
            [lower.slice(0, -1), english],
          ]
        : [[lower, english]];
    });
  return full.sort(([a], [b]) => b.length - a.length);
}

/** The text with its names in English. Each name is looked for behind the last one, in the order of the layout. */
export function toEnglish(text: string, steps: readonly Step[], names: LocaleNames): string {
  let out = '',
    rest = text;
  for (const { element } of steps) {
    const list = Object.hasOwn(names, element) || element === 'pm' ? names[(element === 'pm' ? 'PM' : element) as Name] : undefined;
    if (list === undefined) continue;
    const lower = rest.toLowerCase();
    let best: readonly [string, string] | undefined,
      at = -1;
    for (const pair of list) {
      const found = lower.indexOf(pair[0]);
      if (found >= 0 && (at < 0 || found < at)) {
        best = pair;
        at = found;
      }
    }
    if (best === undefined) return fail(`parsing time "${text}": no name for ${element} in this language`);
    out += rest.slice(0, at) + (element === 'pm' ? best[1].toLowerCase() : best[1]);
    rest = rest.slice(at + best[0].length);
  }
  return out + rest;
}
