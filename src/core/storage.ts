/**
 * What a storage extension (file_storage) offers: small durable maps from key to bytes, one per component and purpose. The disk queue
 * and the file positions stand on it. A component finds its extension through `host.extension(id)` and `isStorage`.
 */
export interface StorageClient {
  get(key: string): Promise<Uint8Array | undefined>;
  /** All or nothing; durable (fsynced, in groups) when it settles. `value: null` deletes. */
  apply(changes: readonly { readonly key: string; readonly value: Uint8Array | null }[]): Promise<void>;
  /** Keys in ascending order of their bytes. */
  keys(): Promise<string[]>;
  close(): Promise<void>;
}
export interface StorageExtension {
  /** `component`: kind and id of the owner ("receiver:file_log/app"); `name`: the purpose where it has several ("traces"). */
  storageClient(component: string, name?: string): Promise<StorageClient>;
}
export function isStorage(extension: unknown): extension is StorageExtension {
  return typeof (extension as StorageExtension | undefined)?.storageClient === 'function';
}
