import { z } from 'zod';
import { defineReceiver } from '#src/core/component.ts';

/** Produces nothing: for trying configurations whose real source is an extension, or none. */
export default defineReceiver({
  type: 'nop',
  stability: { traces: 'stable', metrics: 'stable', logs: 'stable' },
  configSchema: z.strictObject({}),
  create: () => ({}),
});
