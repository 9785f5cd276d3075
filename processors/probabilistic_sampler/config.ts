import { z } from 'zod';

/** 2^-56: less cannot be written as a threshold. */
const MIN_PROBABILITY = 2 ** -56;
/** Hexadecimal digits of a threshold. */
export const MAX_PRECISION = 14;

export const configSchema = z.strictObject({
  sampling_percentage: z
    .number()
    .check((context) => {
      const percentage = Math.fround(context.value);
      const wrong = (message: string): void => void context.issues.push({ code: 'custom', input: context.value, message: `sampling rate is ${message}` });
      if (percentage < 0) wrong(`negative: ${context.value} %`);
      else if (percentage > 0 && percentage / 100 < MIN_PROBABILITY) wrong(`too small: ${context.value} %`);
    })
    .default(0)
    .describe('How many percent are kept; 100 and more: all.'),
  hash_seed: z.int().min(0).max(0xffffffff).default(0).describe('Where several layers sample one after the other: another seed for each.'),
  mode: z.enum(['', 'hash_seed', 'equalizing', 'proportional']).default('').describe('How it is decided, see above; empty: `hash_seed`.'),
  fail_closed: z.boolean().default(true).describe('Drops what has no randomness or a trace state that cannot be read; false: keeps it.'),
  sampling_precision: z
    .int()
    .min(1, { error: 'invalid sampling precision: it must be at least 1' })
    .max(MAX_PRECISION, { error: `sampling precision is too great, should be <= ${MAX_PRECISION}` })
    .default(4)
    .describe('Hexadecimal digits of the thresholds that are written.'),
  attribute_source: z.enum(['traceID', 'record']).default('traceID').describe('Logs: what is hashed.'),
  from_attribute: z.string().default('').describe('Logs: the attribute that is hashed where there is no trace id or the source is `record`.'),
  sampling_priority: z.string().default('').describe('Logs: an attribute with a percentage for this record alone.'),
});
export type Config = ReturnType<typeof configSchema.parse>;
