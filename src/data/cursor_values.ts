/** A look at an AnyValue: its type, and where or what its content is. Lists and maps stay bytes; decoded values come from any_value.ts. */
import { PermanentError } from '#src/core/errors.ts';
import { varintBigInt, varintNumber } from './any_value.ts';
import { ScannedMessage } from './cursor_scan.ts';
import { after, readLength, skipField } from './scan.ts';
import { ARRAY, BOOL, BYTES, DOUBLE, EMPTY, INT, MAP, STRING, type ValueType } from './value.ts';

export class ValueReader extends ScannedMessage {
  /** What `readAny` and its like found: where the content of a string, bytes, list or map is (or the varint of an int), and the number of an int, double or bool (1, 0). */
  valueAt = 0;
  valueSize = 0;
  valueNumber = 0.5; // Set to a fraction first, so that the engine keeps a double here.

  /** Looks at the AnyValue [start, end): its type; the rest in valueAt, valueSize, valueNumber. The last known field counts. */
  readAny(start: number, end: number): ValueType {
    if (start === end) return EMPTY;
    const B = this.space.bytes;
    const t = B[start]!;
    if (t === 0x0a) {
      const size = B[start + 1]!;
      if (size < 128 && start + 2 + size === end) {
        this.valueAt = start + 2;
        this.valueSize = size;
        return STRING;
      }
    } else if (t === 0x18) {
      this.valueAt = start + 1;
      if (start + 2 === end && B[start + 1]! < 128) {
        this.valueNumber = B[start + 1]!;
        return INT;
      }
      if (start + 3 === end && B[start + 1]! > 127 && B[start + 2]! < 128) {
        this.valueNumber = (B[start + 1]! & 127) | (B[start + 2]! << 7);
        return INT;
      }
    }
    return this.#readAnySlow(start, end);
  }
  #readAnySlow(start: number, end: number): ValueType {
    const B = this.space.bytes;
    let type: ValueType = EMPTY;
    let p = start;
    while (p < end) {
      const t = B[p]!;
      const at = p + 1;
      p = skipField(B, p, end);
      if (t === 0x0a || t === 0x2a || t === 0x32 || t === 0x3a) {
        this.valueSize = readLength(B, at, end);
        this.valueAt = after;
        type = t === 0x0a ? STRING : t === 0x2a ? ARRAY : t === 0x32 ? MAP : BYTES;
      } else if (t === 0x10) {
        this.valueNumber = varintNumber(B, at) === 0 ? 0 : 1;
        this.valueAt = at;
        type = BOOL;
      } else if (t === 0x18) {
        this.valueNumber = varintNumber(B, at);
        this.valueAt = at;
        type = INT;
      } else if (t === 0x21) {
        this.valueNumber = this.space.view.getFloat64(at, true);
        this.valueAt = at;
        type = DOUBLE;
      }
    }
    if (p !== end) throw new PermanentError(`malformed OTLP: a value at offset ${start}`);
    return type;
  }
  /** The text of the string that was read last. */
  valueText(): string {
    return this.space.bytes.utf8Slice(this.valueAt, this.valueAt + this.valueSize);
  }
  /** The int that was read last, exact (valueNumber is exact up to 2^53). */
  valueInt(): bigint {
    return varintBigInt(this.space.bytes, this.valueAt);
  }
}
