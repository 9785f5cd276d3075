/** A hash of a text. */
import { hash } from 'node:crypto';
import { defineConverter, p } from '#ottl/function.ts';

export default defineConverter({
  name: 'MD5',
  summary: 'The MD5 hash of a text, in hex.',
  params: { target: p.string },
  examples: [
    { run: 'MD5("foo")', want: 'acbd18db4cc2f85cedef654fccc4a4d8' },
    { run: 'MD5(1)', error: 'expected string but got int64' },
  ],
  create({ target }) {
    return (record) => hash('md5', target.get(record), 'hex');
  },
});
