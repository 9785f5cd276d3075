/** FNV-1a of 64 bits. */
import { defineConverter, p } from '#ottl/function.ts';

const PRIME = 0x100000001b3n;

export default defineConverter({
  name: 'FNV',
  summary: 'The FNV-1a hash of a text, 64 bits as an int.',
  params: { target: p.string },
  examples: [
    { run: 'FNV("hello world")', want: 8618312879776256743n },
    { run: 'FNV("")', want: -3750763034362895579n },
  ],
  create({ target }) {
    return (record) => {
      let hash = 0xcbf29ce484222325n;
      for (const byte of Buffer.from(target.get(record))) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
      return BigInt.asIntN(64, hash);
    };
  },
});
