/** Where files were read to, in storage: one record a file, so that a poll writes only what moved. */
import type { StorageClient } from '#src/core/storage.ts';
import { fromPlain, type Value, type ValueMap } from '#receivers/file_log/value.ts';
import { TailedFile } from './tailed_file.ts';

const PREFIX = 'file.';

interface Saved {
  readonly fingerprint: string;
  readonly offset: number;
  readonly record_number: number;
  readonly path: string;
  readonly header?: Record<string, unknown>;
  readonly header_done?: boolean;
  readonly gzip?: boolean;
}

const isSize = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

export class Checkpoints {
  readonly #client: StorageClient;
  readonly #removed = new Set<string>();

  constructor(client: StorageClient) {
    this.#client = client;
  }

  /** The files known from before. A record that cannot be read is left out: its file begins anew. */
  async load(): Promise<TailedFile[]> {
    const files: TailedFile[] = [];
    for (const key of await this.#client.keys()) {
      if (!key.startsWith(PREFIX)) continue;
      const bytes = await this.#client.get(key);
      const file = bytes === undefined ? null : decode(key.slice(PREFIX.length), bytes);
      if (file !== null) files.push(file);
      else this.#removed.add(key);
    }
    return files;
  }

  forget(file: TailedFile): void {
    this.#removed.add(PREFIX + file.id);
  }

  /** Writes what changed. */
  async save(files: Iterable<TailedFile>): Promise<void> {
    const changes: { key: string; value: Uint8Array | null }[] = [],
      saved: TailedFile[] = [];
    for (const file of files) {
      if (!file.dirty) continue;
      changes.push({ key: PREFIX + file.id, value: encode(file) });
      saved.push(file);
      file.dirty = false;
    }
    for (const key of this.#removed) changes.push({ key, value: null });
    if (changes.length === 0) return;
    this.#removed.clear();
    try {
      await this.#client.apply(changes);
    } catch (error) {
      for (const file of saved) file.dirty = true;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function encode(file: TailedFile): Uint8Array {
  const header = Object.fromEntries(Array.from(file.headerAttributes, ([key, value]): [string, unknown] => [key, plainOf(value)]));
  const saved: Saved = {
    fingerprint: file.fingerprint.toString('base64'),
    offset: file.committed,
    record_number: file.recordNumber,
    path: file.path,
    ...(file.headerAttributes.size > 0 ? { header } : {}),
    ...(file.headerDone ? { header_done: true } : {}),
    ...(file.isGzip ? { gzip: true } : {}),
  };
  return Buffer.from(JSON.stringify(saved));
}

function plainOf(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plainOf);
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]): [string, unknown] => [key, plainOf(item)]));
  return value;
}

function decode(id: string, bytes: Uint8Array): TailedFile | null {
  try {
    const saved = JSON.parse(Buffer.from(bytes).toString()) as Saved;
    if (typeof saved.fingerprint !== 'string' || !isSize(saved.offset) || !isSize(saved.record_number)) return null;
    const file = new TailedFile(id, String(saved.path), '', Buffer.from(saved.fingerprint, 'base64'));
    file.offset = file.committed = saved.offset;
    file.recordNumber = saved.record_number;
    file.headerDone = saved.header_done === true;
    file.isGzip = saved.gzip === true;
    if (saved.header !== undefined) file.headerAttributes = fromPlain(saved.header) as ValueMap;
    file.dirty = false;
    return file;
  } catch {
    return null;
  }
}
