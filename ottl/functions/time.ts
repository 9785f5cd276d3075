/** A time from a text. */
import { layoutPieces } from '#ottl/formats/go_time.ts';
import { localeNames, toEnglish } from '#ottl/formats/locale_names.ts';
import { readTime } from '#ottl/formats/read_time.ts';
import { checkStrptime, layoutsToRead } from '#ottl/formats/strptime.ts';
import { loadZone } from '#ottl/formats/zone.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, OttlError, UTC } from '#ottl/values.ts';

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
    checkStrptime(format);
    const zone = location ? loadZone(location) : format.endsWith('Z') ? UTC : loadZone('Local');
    const names = locale === undefined ? null : localeNames(locale);
    const layouts = layoutsToRead(format).map(layoutPieces);
    return (record) => {
      const text = time.get(record);
      if (text === '') fail('time cannot be nil');
      let failure: OttlError | null = null;
      for (const pieces of layouts) {
        try {
          return readTime(names === null ? text : toEnglish(text, pieces, names), pieces, zone, true, Date.now);
        } catch (error) {
          if (!(error instanceof OttlError)) throw error;
          failure ??= error;
        }
      }
      throw failure!;
    };
  },
});
