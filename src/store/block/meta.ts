/** meta.json of a block, and the block's id. Fields that are not ours (Thanos, Cortex) are kept as they are when a block is read. */
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { CorruptError } from '#src/core/errors.ts';

export interface BlockMeta {
  readonly ulid: string;
  readonly minTime: number;
  /** Exclusive. */
  readonly maxTime: number;
  readonly stats: {
    numSamples?: number;
    numFloatSamples?: number;
    numHistogramSamples?: number;
    numSeries?: number;
    numChunks?: number;
    numTombstones?: number;
  };
  readonly compaction: {
    readonly level: number;
    readonly sources?: readonly string[];
    readonly deletable?: boolean;
    readonly parents?: readonly { readonly ulid: string; readonly minTime: number; readonly maxTime: number }[];
    readonly failed?: boolean;
    readonly hints?: readonly string[];
  };
  readonly version: number;
}

/** Crockford's base 32. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
export const isUlid = (name: string): boolean => ULID.test(name);

/** 48 bits of time, 80 of chance. */
export function newUlid(nowMs: number): string {
  let text = '';
  let time = Math.floor(nowMs);
  for (let i = 0; i < 10; i++) {
    text = ALPHABET[time % 32]! + text;
    time = Math.floor(time / 32);
  }
  for (const byte of randomFillSync(new Uint8Array(16))) text += ALPHABET[byte & 31]!;
  return text;
}

export function readMeta(directory: string): BlockMeta {
  const file = path.join(directory, 'meta.json');
  let meta: Partial<BlockMeta>;
  try {
    meta = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<BlockMeta>;
  } catch (cause) {
    throw new CorruptError(`${file} cannot be read`, { cause });
  }
  if (meta.version !== 1) throw new CorruptError(`${file}: version ${meta.version} is not read, only 1`);
  if (typeof meta.ulid !== 'string' || typeof meta.minTime !== 'number' || typeof meta.maxTime !== 'number' || !meta.compaction) {
    throw new CorruptError(`${file}: ulid, minTime, maxTime or compaction is missing`);
  }
  return { ...(meta as BlockMeta), stats: meta.stats ?? {} };
}

export function writeMeta(directory: string, meta: BlockMeta): void {
  writeDurably(path.join(directory, 'meta.json'), Buffer.from(`${JSON.stringify(meta, null, '\t')}\n`));
}

/** Writes aside, syncs, renames: the file is there as a whole or not at all. */
export function writeDurably(file: string, bytes: Uint8Array): void {
  const aside = `${file}.tmp`;
  const descriptor = fs.openSync(aside, 'w');
  try {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(descriptor, bytes, at, bytes.length - at);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(aside, file);
}
