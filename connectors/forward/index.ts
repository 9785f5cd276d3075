import { z } from 'zod';
import { mostUse } from '#src/core/batch.ts';
import { defineConnector } from '#src/core/component.ts';

/** Ends pipelines and begins others of the same signal with the same batches: to split what one receiver takes, or to join several sources before common steps. */
export default defineConnector({
  type: 'forward',
  routes: [
    ['traces', 'traces', 'stable'],
    ['metrics', 'metrics', 'stable'],
    ['logs', 'logs', 'stable'],
  ],
  configSchema: z.strictObject({}),
  create: ({ next }) => ({
    consume: (batch) => next[batch.signal]!.consume(batch),
    packedUse: (coding) => mostUse(Object.values(next).map((consumer) => consumer.packedUse?.(coding) ?? 'none')),
  }),
});
