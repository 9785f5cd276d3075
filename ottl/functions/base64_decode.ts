/** Text out of base64. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

// With padding and nothing else, as Go's StdEncoding; line breaks are skipped there.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export default defineConverter({
  name: 'Base64Decode',
  summary: 'The text that base64 stands for; the newer Decode knows more encodings.',
  params: { target: p.string },
  examples: [
    { run: 'Base64Decode("aGVsbG8=")', want: 'hello' },
    { run: 'Base64Decode("aGVsbG8")', error: 'illegal base64 data' },
  ],
  create({ target }) {
    return (record) => {
      const text = target.get(record).replace(/[\r\n]/g, '');
      return BASE64.test(text)
        ? Buffer.from(text, 'base64').toString('utf8')
        : fail(`illegal base64 data at input byte ${/[^A-Za-z0-9+/]/.exec(text)?.index ?? text.length}`);
    };
  },
});
