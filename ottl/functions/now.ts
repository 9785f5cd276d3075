/** What time it is. */
import { defineConverter } from '#ottl/function.ts';
import { Time } from '#ottl/values.ts';

export default defineConverter({
  name: 'Now',
  summary: 'The present time.',
  params: {},
  examples: [{ run: 'IsInt(UnixNano(Now()))', want: true }],
  create() {
    return () => new Time(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n);
  },
});
