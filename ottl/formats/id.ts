/** An id from its bytes, or from its hex digits as text. */
import { fail, Id } from '#ottl/values.ts';

export function makeId(functionName: string, kind: Id['kind'], bytes: Uint8Array | null): Id {
  const size = kind === 'span' ? 8 : 16;
  const length = bytes?.length ?? 0;
  if (bytes && length === size) return new Id(kind, bytes);
  if (!bytes || length !== size * 2) return fail(`${functionName}: could not decode ID: invalid length: expected ${size} or ${size * 2} bytes, got ${length}`);
  const hex = Buffer.from(bytes).toString('latin1');
  return /^[0-9a-fA-F]+$/.test(hex)
    ? new Id(kind, Buffer.from(hex, 'hex'))
    : fail(`${functionName}: could not decode ID: invalid hex: encoding/hex: invalid byte`);
}
