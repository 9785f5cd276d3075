/** A hash of a text. */
import { hash } from 'node:crypto';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'SHA512',
  summary: 'The SHA512 hash of a text, in hex.',
  params: { target: p.string },
  examples: [
    {
      run: 'SHA512("foo")',
      want: 'f7fbba6e0636f890e56fbbf3283e524c6fa3204ae298382d624741d0dc6638326e282c41be5e4254d8820772c5518a2c5a8c0c7f7eda19594a7eb539453e1ed7',
    },
    { run: 'SHA512(1)', error: 'expected string but got int64' },
  ],
  create({ target }) {
    return (record) => hash('sha512', target.get(record), 'hex');
  },
});
