/** A hash of a text. */
import { hash } from 'node:crypto';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'SHA256',
  summary: 'The SHA256 hash of a text, in hex.',
  params: { target: p.string },
  examples: [
    { run: 'SHA256("foo")', want: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae' },
    { run: 'SHA256(1)', error: 'expected string but got int64' },
  ],
  create({ target }) {
    return (record) => hash('sha256', target.get(record), 'hex');
  },
});
