/** A random name. */
import { randomUUID } from 'node:crypto';
import { defineConverter } from '#ottl/function.ts';

export default defineConverter({
  name: 'UUID',
  summary: 'A new random UUID (version 4).',
  params: {},
  examples: [{ run: 'IsMatch(UUID(), "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")', want: true }],
  create() {
    return () => randomUUID();
  },
});
