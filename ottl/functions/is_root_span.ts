/** Whether a span begins its trace. */
import { defineConverter } from '#ottl/function.ts';
import { span } from '#src/data/contexts.ts';
import { SPAN } from '#src/data/message_types.ts';

export default defineConverter({
  name: 'IsRootSpan',
  summary: 'True for a span without a parent.',
  params: {},
  contexts: ['span'],
  examples: [{ run: 'IsRootSpan()', want: true, note: 'in the span context' }],
  create: () => () => span.bytes(SPAN.parentSpanId).every((byte) => byte === 0),
});
