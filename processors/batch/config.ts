import { z } from 'zod';
import { duration } from '#src/config/schema.ts';

const size = (fallback: number) => z.int().nonnegative().max(0xffffffff).default(fallback);

export const configSchema = z
  .strictObject({
    timeout: duration().prefault('200ms').describe('Sends what there is after this time; 0: sends at once, the sizes then only cut.'),
    send_batch_size: size(8192).describe('Spans, data points or log records that make a batch go at once; 0: every request goes at once.'),
    send_batch_max_size: size(0).describe('Larger batches are cut; 0: never.'),
    metadata_keys: z.array(z.string()).default([]).describe('Client metadata whose values are batched apart and travel on.'),
    metadata_cardinality_limit: z.int().nonnegative().max(0xffffffff).default(1000).describe('Most combinations of those values; further ones are refused.'),
  })
  .check((context) => {
    const { timeout, send_batch_size, send_batch_max_size, metadata_keys } = context.value,
      wrong = (path: string, input: unknown, message: string) => context.issues.push({ code: 'custom', input, path: [path], message });
    if (timeout < 0) wrong('timeout', timeout, 'timeout must be greater or equal to 0');
    if (send_batch_max_size > 0 && send_batch_max_size < send_batch_size)
      wrong('send_batch_max_size', send_batch_max_size, 'send_batch_max_size must be greater or equal to send_batch_size');
    const seen = new Set<string>();
    for (const key of metadata_keys.map((k) => k.toLowerCase())) {
      if (seen.has(key)) wrong('metadata_keys', key, `duplicate entry in metadata_keys: "${key}" (case-insensitive)`);
      seen.add(key);
    }
  });
