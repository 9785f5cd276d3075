/** Reads the tombstones of a block: which intervals of which series were deleted. Writing is only the empty file (block_writer.ts): series are not deleted by us. */
import fs from 'node:fs';
import { CorruptError } from '#src/core/errors.ts';
import { crc32c } from '#src/wire/crc32c.ts';
import { ByteReader } from '#src/store/bytes.ts';

const MAGIC = 0x0130ba30;

/** Series id to pairs of first and last deleted time, both inclusive. */
export type Tombstones = ReadonlyMap<number, readonly number[]>;

/** A missing file means that nothing was deleted. */
export function readTombstones(file: string): Tombstones {
  const deleted = new Map<number, number[]>();
  if (!fs.existsSync(file)) return deleted;
  const bytes = fs.readFileSync(file);
  if (bytes.length === 0) return deleted;
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC || reader.u8() !== 1) throw new CorruptError(`${file} is not a tombstones file of version 1`);
  const end = bytes.length - 4;
  const wanted = new ByteReader(bytes, end).u32();
  const computed = crc32c(bytes, 5, end);
  if (wanted !== computed) throw new CorruptError(`${file}: checksum is ${wanted.toString(16)}, computed ${computed.toString(16)}`);
  while (reader.pos < end) {
    const id = reader.uvarint();
    const min = reader.varint();
    const max = reader.varint();
    const list = deleted.get(id);
    if (list) list.push(min, max);
    else deleted.set(id, [min, max]);
  }
  return deleted;
}
