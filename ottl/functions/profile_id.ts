/** The id of a profile. */
import { makeId } from '#ottl/formats/id.ts';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'ProfileID',
  summary: 'The profile id of these 16 bytes, or of 32 hex digits.',
  params: { target: p.bytesLike },
  examples: [
    { run: 'String(ProfileID(0x000102030405060708090a0b0c0d0e0f))', want: '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]' },
    { run: 'String(ProfileID("000102030405060708090a0b0c0d0e0f"))', want: '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]' },
    { run: 'ProfileID("00")', error: 'invalid length' },
  ],
  create({ target }) {
    if (!target.literal) return (record) => makeId('ProfileID', 'profile', target.get(record));
    const id = makeId('ProfileID', 'profile', target.literal.value);
    return () => id;
  },
});
