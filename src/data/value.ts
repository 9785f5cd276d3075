/**
 * A decoded AnyValue, for the slow and general way. The hot paths read and compare values in their bytes (cursor.ts) and never make one
 * of these. Maps keep the order of their entries and may hold a key twice, as the wire format may.
 */

/** null: empty; bigint: int64; number: double; Uint8Array: bytes. */
export type Value = null | string | boolean | bigint | number | Uint8Array | Value[] | ValueMap;

/** Which alternative of AnyValue; the numbers are its field numbers. */
export const EMPTY = 0;
export const STRING = 1;
export const BOOL = 2;
export const INT = 3;
export const DOUBLE = 4;
export const ARRAY = 5;
export const MAP = 6;
export const BYTES = 7;
export type ValueType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Deeper nesting than this is refused wherever values are decoded, so that nobody overflows the stack. */
export const MAX_VALUE_DEPTH = 128;

/** Ordered entries; look-ups find the first entry of a key. */
export class ValueMap {
  readonly keys: string[];
  readonly values: Value[];
  constructor(keys: string[] = [], values: Value[] = []) {
    this.keys = keys;
    this.values = values;
  }
  get size(): number {
    return this.keys.length;
  }
  has(key: string): boolean {
    return this.keys.includes(key);
  }
  /** undefined: no such key; null: an empty value. */
  get(key: string): Value | undefined {
    const i = this.keys.indexOf(key);
    return i < 0 ? undefined : this.values[i];
  }
  set(key: string, value: Value): this {
    const i = this.keys.indexOf(key);
    if (i < 0) this.append(key, value);
    else this.values[i] = value;
    return this;
  }
  /** Adds an entry without looking whether the key is there. */
  append(key: string, value: Value): void {
    this.keys.push(key);
    this.values.push(value);
  }
  /** Takes away the first entry of the key; false: there was none. */
  delete(key: string): boolean {
    const i = this.keys.indexOf(key);
    if (i < 0) return false;
    this.keys.splice(i, 1);
    this.values.splice(i, 1);
    return true;
  }
}
