import { z } from 'zod';
import { duration } from '#src/config/schema.ts';

export const configSchema = z.strictObject({
  max_stale: duration()
    .prefault('5m')
    .refine((ms) => ms > 0, { error: 'max_stale must be a positive duration' })
    .describe('A stream that brings nothing for so long is forgotten and begins anew.'),
  max_streams: z.int().nonnegative().optional().describe('Most streams that are remembered; points of further ones are dropped. Not given: no limit.'),
});
