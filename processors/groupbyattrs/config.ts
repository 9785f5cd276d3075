import { z } from 'zod';

export const configSchema = z.strictObject({
  keys: z.array(z.string()).default([]).describe('Attributes that records are grouped by. None: only what has equal resources and scopes is put together.'),
});
