import { z } from 'zod';
import { defineExporter } from '#src/core/component.ts';

/** Takes everything and drops it: for trying configurations and for measuring what lies before it. */
export default defineExporter({
  type: 'nop',
  stability: { traces: 'stable', metrics: 'stable', logs: 'stable' },
  configSchema: z.strictObject({}),
  create: () => ({
    async consume(batch) {
      batch.free();
    },
  }),
});
