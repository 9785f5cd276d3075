import { z } from 'zod';
import { httpServerShape } from '#src/net/config.ts';

export const configSchema = z.strictObject({
  ...httpServerShape('localhost:55679'),
  expvar: z
    .strictObject({ enabled: z.literal(false, { error: 'is not supported yet: these are variables of Go programs' }).default(false) })
    .prefault({})
    .describe('Accepted while disabled.'),
});
