/** Reads values where an operation says they are and appends them; counts what the store did not take. */
import { BUCKET, COUNT, DOUBLE, FIRST_BUCKET, INT, STALE, STALE_HIGH, STALE_LOW } from '#src/helper/prometheus/translate.ts';
import { APPENDED, type Appender, DUPLICATE, DUPLICATE_OTHER_VALUE, OUT_OF_ORDER } from '#src/store/appender.ts';

const F = new Float64Array(1),
  W = new Uint32Array(F.buffer);

export class Appending {
  samples = 0;
  outOfOrder = 0;
  duplicates = 0;
  tooOld = 0;
  #running = 0;
  #timeLow = -1;
  #timeHigh = -1;
  #timeMs = 0;

  reset(): void {
    this.samples = this.outOfOrder = this.duplicates = this.tooOld = 0;
  }

  /** The fixed64 nanoseconds at an offset, in whole milliseconds. All points of a scrape share one time. */
  timeMs(view: DataView, at: number): number {
    const low = view.getUint32(at, true),
      high = view.getUint32(at + 4, true);
    if (low !== this.#timeLow || high !== this.#timeHigh) {
      this.#timeLow = low;
      this.#timeHigh = high;
      this.#timeMs = high * 4294 + Math.floor((high * 967_296 + low) / 1e6); // 2^32 ns are 4294 ms and 967296 ns: each part stays exact.
    }
    return this.#timeMs;
  }

  append(appender: Appender, ref: number, timeMs: number, source: number, view: DataView, at: number): void {
    let low = 0,
      high = 0;
    if (source === DOUBLE) {
      low = view.getUint32(at, true);
      high = view.getUint32(at + 4, true);
    } else if (source === STALE) {
      low = STALE_LOW;
      high = STALE_HIGH;
    } else {
      let value = 0;
      if (source === INT) value = view.getInt32(at + 4, true) * 4294967296 + view.getUint32(at, true);
      else if (source === COUNT) value = view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
      else if (source === FIRST_BUCKET || source === BUCKET) {
        value = (source === BUCKET ? this.#running : 0) + view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
        this.#running = value;
      }
      F[0] = value;
      low = W[0]!;
      high = W[1]!;
    }
    this.count(appender.append(ref, timeMs, low, high));
  }

  count(result: number): void {
    if (result === APPENDED || result === DUPLICATE) this.samples++;
    else if (result === OUT_OF_ORDER) this.outOfOrder++;
    else if (result === DUPLICATE_OTHER_VALUE) this.duplicates++;
    else this.tooOld++;
  }
}
