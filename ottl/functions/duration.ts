/** A duration out of text. */
import { defineConverter, p } from '#ottl/function.ts';
import { Duration, fail } from '#ottl/values.ts';
import { quoteGo } from '#src/core/go_quote.ts';

const UNIT_NANO: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** time.ParseDuration: exact to the nanosecond, fractions cut. */
function parseDuration(text: string): Duration {
  const invalid = (): never => fail(`time: invalid duration ${quoteGo(text)}`);
  const sign = text.startsWith('-') ? -1n : 1n,
    rest = text.replace(/^[+-]/, '');
  if (rest === '0') return new Duration(0n);
  if (rest === '' || rest.length > 1024) invalid();
  let nano = 0n,
    end = 0;
  for (const match of rest.matchAll(/(\d*)(?:\.(\d*))?([^\d.]*)/gy)) {
    const [all, whole = '', fraction = '', unit = ''] = match;
    if (all === '') break;
    if (whole === '' && fraction === '') invalid();
    const scale = Object.hasOwn(UNIT_NANO, unit)
      ? UNIT_NANO[unit]!
      : fail(unit === '' ? `time: missing unit in duration ${quoteGo(text)}` : `time: unknown unit ${quoteGo(unit)} in duration ${quoteGo(text)}`);
    nano += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
    end = match.index + all.length;
  }
  if (end !== rest.length || nano > (1n << 63n) - (sign > 0n ? 1n : 0n)) invalid();
  return new Duration(nano * sign);
}

export default defineConverter({
  name: 'Duration',
  summary: 'The duration that a text like "1h30m" or "-1.5s" stands for.',
  params: { duration: p.string },
  examples: [
    { run: 'Nanoseconds(Duration("-1.5s"))', want: -1500000000n },
    { run: 'Seconds(Duration("1h0m2s"))', want: 3602 },
    { run: 'Duration("5")', error: 'missing unit in duration "5"' },
    { run: 'Duration("1x")', error: 'unknown unit "x" in duration "1x"' },
  ],
  create({ duration }) {
    if (!duration.literal) return (record) => parseDuration(duration.get(record));
    const text = duration.literal.value;
    let fixed: Duration | null = null; // Parsed at the first record: a text that is none is an error of records, not of the start.
    return () => (fixed ??= parseDuration(text));
  },
});
