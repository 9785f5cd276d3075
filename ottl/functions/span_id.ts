/** The id of a span. */
import { makeId } from '#ottl/formats/id.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'SpanID',
  summary: 'The span id of these 8 bytes, or of 16 hex digits.',
  params: { target: p.bytesLike },
  examples: [
    { run: 'String(SpanID(0x0001020304050607))', want: '[0,1,2,3,4,5,6,7]' },
    { run: 'String(SpanID("0001020304050607"))', want: '[0,1,2,3,4,5,6,7]' },
    { run: 'SpanID("00")', error: 'invalid length' },
  ],
  create({ target }) {
    if (!target.literal) return (record) => makeId('SpanID', 'span', target.get(record));
    const id = makeId('SpanID', 'span', target.literal.value);
    return () => id;
  },
});
