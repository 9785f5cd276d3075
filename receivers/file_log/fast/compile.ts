/** Decides whether a chain can run over bytes. */
import type { Chain } from '#receivers/file_log/chain.ts';
import type { Config } from '#receivers/file_log/config.ts';
import type { FileBasis } from '#receivers/file_log/entries.ts';
import type { Entry } from '#receivers/file_log/entry.ts';
import type { LogBatch } from '#receivers/file_log/log_batch.ts';
import type { TailedFile } from '#receivers/file_log/tail/tailed_file.ts';

export interface FastLines {
  take(batch: LogBatch, basis: FileBasis, file: TailedFile, bytes: Buffer, from: number, end: number, slow: (start: number, end: number, at: number) => void): number;
  forget(fileId: string): void;
}
export function compileFast(_config: Config, _chain: Chain, _add: (entry: Entry) => void): FastLines | null {
  return null;
}
