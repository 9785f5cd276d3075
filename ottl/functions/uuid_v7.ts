/** A random name that sorts by time. */
import { randomBytes } from 'node:crypto';
import { defineConverter } from '#ottl/function.ts';

// Time and the 12 bits behind the version of the last one: within a millisecond they are counted up, so that each is greater than the one before.
let lastMs = 0;
let lastSequence = 0;

function next(): Buffer {
  const bytes = randomBytes(16);
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    lastSequence = bytes.readUInt16BE(6) & 0x7ff; // Half of the room is left to count.
  } else if (++lastSequence > 0xfff) {
    lastMs++;
    lastSequence = 0;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | lastSequence, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

export default defineConverter({
  name: 'UUIDv7',
  summary: 'A new UUID of version 7: its first 48 bits are the milliseconds since 1970, and each is greater than the one before.',
  params: {},
  examples: [{ run: 'IsMatch(UUIDv7(), "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")', want: true }],
  create() {
    return () =>
      next()
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
});
