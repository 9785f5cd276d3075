/** The id of a trace. */
import { makeId } from '#ottl/formats/id.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'TraceID',
  summary: 'The trace id of these 16 bytes, or of 32 hex digits.',
  params: { target: p.bytesLike },
  examples: [
    { run: 'String(TraceID(0x000102030405060708090a0b0c0d0e0f))', want: '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]' },
    { run: 'String(TraceID("000102030405060708090a0b0c0d0e0f"))', want: '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]' },
    { run: 'TraceID("00")', error: 'invalid length' },
  ],
  create({ target }) {
    if (!target.literal) return (record) => makeId('TraceID', 'trace', target.get(record));
    const id = makeId('TraceID', 'trace', target.literal.value);
    return () => id;
  },
});
