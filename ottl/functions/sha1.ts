/** A hash of a text. */
import { hash } from 'node:crypto';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'SHA1',
  summary: 'The SHA1 hash of a text, in hex.',
  params: { target: p.string },
  examples: [
    { run: 'SHA1("foo")', want: '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33' },
    { run: 'SHA1(1)', error: 'expected string but got int64' },
  ],
  create({ target }) {
    return (record) => hash('sha1', target.get(record), 'hex');
  },
});
