/** A random name that sorts by time. */
import { randomBytes } from 'node:crypto';
import { defineConverter } from '#ottl/function.ts';

export default defineConverter({
  name: 'UUIDv7',
  summary: 'A new UUID of version 7: its first 48 bits are the milliseconds since 1970.',
  params: {},
  examples: [{ run: 'IsMatch(UUIDv7(), "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")', want: true }],
  create() {
    return () => {
      const bytes = randomBytes(16);
      bytes.writeUIntBE(Date.now(), 0, 6);
      bytes[6] = (bytes[6]! & 0x0f) | 0x70;
      bytes[8] = (bytes[8]! & 0x3f) | 0x80;
      return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    };
  },
});
