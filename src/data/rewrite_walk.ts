import type { Batch } from '#src/core/batch.ts';
import type { Pass } from './contexts.ts';

/** The bytes of the record (span, log record, metric) as it is now, with all edits; only from a callback at RECORD_LEVEL. A copy. */
export declare function currentRecord(): Buffer;
/** Puts another record in the place of this one; its cursor stands on the new one afterwards. Only from a callback at RECORD_LEVEL. */
export declare function replaceRecord(bytes: Uint8Array): void;
/** Adds a record behind the last one of this scope; it is not visited in this walk. Only from a callback at RECORD_LEVEL. */
export declare function appendRecord(bytes: Uint8Array): void;
/** One walk with the callbacks of `passes`: the very same batch where nothing changed, null where nothing is left. */
export declare function rewriteBatch(batch: Batch, passes: readonly Pass[]): Batch | null;
