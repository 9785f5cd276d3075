/** Text into base64. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

const VARIANTS: ReadonlyMap<string, (text: string) => string> = new Map([
  ['base64', (text) => Buffer.from(text).toString('base64')],
  ['base64-raw', (text) => Buffer.from(text).toString('base64').replace(/=+$/, '')],
  ['base64-url', (text) => Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_')],
  ['base64-raw-url', (text) => Buffer.from(text).toString('base64url')],
]);

export default defineConverter({
  name: 'Base64Encode',
  summary: 'A text in base64; variants: base64 (default), base64-raw, base64-url, base64-raw-url.',
  params: { target: p.string, variant: p.optional(p.string) },
  examples: [
    { run: 'Base64Encode("hello")', want: 'aGVsbG8=' },
    { run: 'Base64Encode("h~?", "base64-raw-url")', want: 'aH4_' },
    { run: 'Base64Encode("x", "base32")', error: 'unsupported base64 variant: base32' },
  ],
  create({ target, variant }) {
    return (record) => {
      const text = target.get(record),
        name = variant?.get(record) ?? 'base64',
        encode = VARIANTS.get(name);
      return encode ? encode(text) : fail(`unsupported base64 variant: ${name}`);
    };
  },
});
