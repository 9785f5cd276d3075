/** How single values are written, as Go's fmt and pdata write them. */
import type { AnyValue } from './model.ts';
import type { Value } from '#src/data/value.ts';
import { ValueMap } from '#src/data/value.ts';
import { valueText } from '#src/data/value_text.ts';

const decoded = (value: AnyValue | undefined): Value => {
  if (value?.stringValue !== undefined) return value.stringValue;
  if (value?.boolValue !== undefined) return value.boolValue;
  if (value?.intValue !== undefined) return BigInt(value.intValue);
  if (value?.doubleValue !== undefined) return Number(value.doubleValue);
  if (value?.bytesValue !== undefined) return Buffer.from(value.bytesValue, 'base64');
  if (value?.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(decoded);
  if (value?.kvlistValue !== undefined)
    return new ValueMap(
      (value.kvlistValue.values ?? []).map(({ key }) => key),
      (value.kvlistValue.values ?? []).map((entry) => decoded(entry.value)),
    );
  return null;
};
const TYPES = {
  stringValue: 'Str',
  boolValue: 'Bool',
  intValue: 'Int',
  doubleValue: 'Double',
  bytesValue: 'Bytes',
  arrayValue: 'Slice',
  kvlistValue: 'Map',
} as const;

export const anyText = (value: AnyValue | undefined): string => valueText(decoded(value));
/** `Str(text)`. */
export function typedText(value: AnyValue | undefined): string {
  const type = (Object.keys(TYPES) as (keyof typeof TYPES)[]).find((kind) => value?.[kind] !== undefined);
  return `${type ? TYPES[type] : 'Empty'}(${anyText(value)})`;
}

/** %f: six decimals. */
export function fixed(value: number | string | undefined): string {
  const number = Number(value ?? 0);
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number > 0 ? '+Inf' : '-Inf';
  return Math.abs(number) < 1e21 ? number.toFixed(6) : `${BigInt(number)}.000000`;
}

/** time.Time's String() in UTC. */
export function time(unixNano: string | undefined): string {
  const nano = BigInt(unixNano ?? '0'),
    seconds = nano / 1_000_000_000n,
    rest = nano % 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${date}${rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`} +0000 UTC`;
}
