/** Durations as Prometheus writes them: "1h30m", units y w d h m s ms, each at most once and in this order. */

const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS_MS = [31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1];
/** What fits in 64 bits of nanoseconds. */
const MAX_MS = 9_223_372_036_854.775;

/** Milliseconds, or undefined where the text is not a duration or does not fit. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '') return undefined;
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  let ms = 0;
  for (let i = 0; i < UNITS_MS.length; i++) ms += Number(match[i + 1] ?? 0) * UNITS_MS[i]!;
  return ms > MAX_MS ? undefined : ms;
}

/** The shortest form: weeks and days only where they come out even, as upstream prints them. */
export function formatDuration(ms: number): string {
  let rest = Math.trunc(ms);
  if (rest === 0) return '0s';
  let text = '';
  const take = (unit: string, unitMs: number, exact: boolean): void => {
    if (exact && rest % unitMs !== 0) return;
    const count = Math.floor(rest / unitMs);
    if (count === 0) return;
    text += `${count}${unit}`;
    rest -= count * unitMs;
  };
  take('y', UNITS_MS[0]!, true);
  take('w', UNITS_MS[1]!, true);
  take('d', UNITS_MS[2]!, false);
  take('h', UNITS_MS[3]!, false);
  take('m', UNITS_MS[4]!, false);
  take('s', UNITS_MS[5]!, false);
  take('ms', 1, false);
  return text;
}
