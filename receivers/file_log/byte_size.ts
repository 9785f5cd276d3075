/** Sizes in configuration: a number of bytes, or a text with a unit ("16KiB", "1.5mb"). */
import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
};

export function parseByteSize(value: string | number): number | undefined {
  if (typeof value === 'number') return Math.trunc(value);
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$/.exec(value),
    unit = match === null ? undefined : UNITS[match[2]!.toLowerCase()];
  return unit === undefined ? undefined : Math.trunc(Number(match![1]) * unit);
}

export function byteSize() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const bytes = parseByteSize(value);
    if (bytes !== undefined && Number.isSafeInteger(bytes)) return bytes;
    context.addIssue({ code: 'custom', message: `"${value}" is not a size; write a number of bytes or a number with a unit, for example 16KiB or 1MiB` });
    return z.NEVER;
  });
}
