/** A time from a text. */
import { localeNames, toEnglish } from '#ottl/formats/locale_names.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, orFail, Time } from '#ottl/values.ts';
import { TimeReader } from '#src/helper/time/reader.ts';
import { zoneOf } from '#src/helper/time/zone.ts';

export default defineConverter({
  name: 'Time',
  summary:
    'The time that a text says in a strptime format, in a location of the time zone database (else in the zone of the process, or UTC where the format ends in Z), with names of months and days in the language of a locale.',
  params: { time: p.string, format: p.stringLiteral, location: p.optional(p.stringLiteral), locale: p.optional(p.stringLiteral) },
  examples: [
    { run: 'UnixSeconds(Time("2024-06-15T12:34:56+0200", "%Y-%m-%dT%H:%M:%S%z"))', want: 1718447696n },
    { run: 'UnixSeconds(Time("2023-05-26 12:34:56", "%F %T", "America/New_York"))', want: 1685118896n },
    { run: 'UnixNano(Time("1970-01-01T00:00:01.5Z", "%Y-%m-%dT%H:%M:%S.%LZ"))', want: 1500000000n },
    { run: 'UnixSeconds(Time("15 février 2023Z", "%d %B %YZ", "", "fr"))', want: 1676419200n },
    { run: 'Time("2024", "%E")', error: 'unsupported ctimefmt.toNative() directive: %E' },
    { run: 'Time("2024", "%Y", "Nowhere/Land")', error: 'failed to load location Nowhere/Land' },
    { run: 'Time("24", "%Y")', error: 'cannot parse' },
  ],
  create({ time, format, location, locale }) {
    if (format === '') fail('format cannot be nil');
    const names = locale === undefined ? null : localeNames(locale);
    const reader = orFail(() =>
      TimeReader.ofStrptime(format, {
        zone: zoneOf(location ?? '', format),
        nowMs: Date.now,
        ...(names !== null && { translate: (text, steps) => toEnglish(text, steps, names) }),
      }),
    );
    return (record) => {
      const text = time.get(record);
      if (text === '') fail('time cannot be nil');
      orFail(() => reader.read(text));
      return new Time(BigInt(reader.seconds) * 1_000_000_000n + BigInt(reader.nanos), reader.zone);
    };
  },
});
