/**
 * One full reading of an exposition: the columns under construction beside those of the last scrape, and the search for what is known of each line:
 * first the series that came next last time, then by hash, in the last scrape and in this one.
 */
import { numberEnd, parseNumber } from '#src/helper/exposition/number.ts';
import type { ExpositionParser, Format } from '#src/helper/exposition/parser.ts';
import { KeyTable, REPEATED, SampleColumns, TRACKED } from './columns.ts';
import type { NativeHistogram } from './native_histogram.ts';
import { copyBytes, hashBytes, viewOf } from './words.ts';

/** One answer of a target. `from` and `to` bound the exposition in `bytes`; the caller owns the buffer again when scrape() returns. */
export interface Exposition {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly format: Format;
  /** Of the transcoded format: what "H<index>" stands for. */
  readonly histograms: readonly NativeHistogram[];
}

/** One full reading of an exposition: the new columns under construction beside the old ones. */
export class Reading {
  readonly old: SampleColumns;
  readonly columns: SampleColumns;
  readonly view: DataView;
  readonly #bytes: Buffer;
  readonly infos = { resources: new Map<string, Map<string, string>>(), scopes: new Map<string, readonly (readonly [string, string])[]>() };
  /** By old index: 1 + the new index of the same series. */
  readonly seen: Int32Array;
  /** By new index: the old index, or -1. */
  from: Int32Array;
  values: Float64Array<ArrayBuffer>;
  times: Float64Array<ArrayBuffer> | null = null;
  guess = 0;
  dropped = 0;
  /** Some line has a timestamp, honoured or not. */
  isTimed = false;
  /** Something that a patch could not do. */
  irregular = false;
  /** What lookUp() found is in the new columns; the line is a repetition of one of this scrape. */
  isOwn = false;
  isRepetition = false;
  #pieceFrom: number;
  #oldTable: KeyTable | null = null;
  #newTable: KeyTable | null = null;

  constructor(old: SampleColumns, exposition: Exposition) {
    const size = exposition.to - exposition.from;
    const expected = old.count > 0 ? old.count + 64 : Math.max(64, size >> 7);
    this.old = old;
    this.columns = new SampleColumns(expected, size + 64);
    this.columns.infos = [...old.infos];
    this.seen = new Int32Array(old.count);
    this.from = new Int32Array(expected);
    this.values = new Float64Array(expected + 16);
    this.view = viewOf(exposition.bytes);
    this.#bytes = exposition.bytes;
    this.#pieceFrom = exposition.from;
  }

  /** The next row, with the text from the last number to this one. */
  addLine(line: ExpositionParser): number {
    const { columns } = this;
    columns.reserve();
    const k = columns.count++;
    if (k >= this.from.length) {
      const from = new Int32Array(columns.capacity);
      from.set(this.from);
      this.from = from;
    }
    if (k >= this.values.length) {
      const values = new Float64Array(columns.capacity + 16);
      values.set(this.values);
      this.values = values;
    }
    const size = line.valueFrom - this.#pieceFrom;
    copyBytes(this.view, this.#pieceFrom, columns.textView, columns.textSize, size);
    columns.pieceSize[k] = size;
    columns.keyAt[k] = columns.textSize + line.keyFrom - this.#pieceFrom;
    columns.keySize[k] = line.keyTo - line.keyFrom;
    columns.textSize += size;
    columns.flags[k] = 0;
    this.#pieceFrom = Number.isNaN(line.timeMs) ? line.valueTo : this.#timeEnd(line.valueTo);
    this.values[k] = line.value;
    return k;
  }

  /** Behind the timestamp, where it follows the value with one blank; otherwise the text in between keeps it from being patched. */
  #timeEnd(valueTo: number): number {
    if (this.#bytes[valueTo] !== 32 || parseNumber(this.#bytes, valueTo + 1, this.#bytes.length) === undefined) {
      this.irregular = true;
      return valueTo;
    }
    return numberEnd();
  }

  setTime(k: number, timeMs: number): void {
    if (this.times === null) {
      if (Number.isNaN(timeMs)) return;
      this.times = new Float64Array(this.values.length).fill(Number.NaN);
    }
    if (k >= this.times.length) {
      const times = new Float64Array(this.values.length).fill(Number.NaN);
      times.set(this.times);
      this.times = times;
    }
    this.times[k] = timeMs;
  }

  /** The known sample with the text of line k: an old one, one of this scrape (isOwn), or -1. */
  lookUp(k: number, lexed: boolean): number {
    const { columns, old } = this;
    this.isOwn = false;
    this.isRepetition = false;
    let was = -1;
    if (!lexed) {
      was = this.guess;
      columns.keyHash[k] = old.keyHash[was]!;
    } else {
      const hash = hashBytes(columns.textView, columns.keyAt[k]!, columns.keySize[k]!);
      columns.keyHash[k] = hash;
      if (old.count > 0) was = this.#findOld(hash, columns.keyAt[k]!, columns.keySize[k]!);
      if (was < 0) return this.#lookUpNew(k, hash);
    }
    this.guess = was + 1;
    this.from[k] = was;
    if (this.seen[was] !== 0) this.isRepetition = true;
    else this.seen[was] = k + 1;
    return was;
  }

  #findOld(hash: number, at: number, size: number): number {
    if (this.#oldTable === null) {
      this.#oldTable = new KeyTable(this.old, this.old.count);
      for (let k = 0; k < this.old.count; k++) if ((this.old.flags[k]! & REPEATED) === 0) this.#oldTable.add(k);
    }
    return this.#oldTable.find(hash, this.columns.textView, at, size);
  }

  #lookUpNew(k: number, hash: number): number {
    const { columns } = this;
    this.#newTable ??= new KeyTable(columns, Math.max(64, columns.capacity - this.old.count));
    const first = this.#newTable.find(hash, columns.textView, columns.keyAt[k]!, columns.keySize[k]!);
    this.from[k] = -1;
    if (first < 0) {
      this.#newTable.add(k);
      return -1;
    }
    this.isOwn = true;
    this.isRepetition = true;
    return first;
  }

  finish(exposition: Exposition): void {
    const { columns } = this;
    this.#bytes.copy(columns.text, columns.textSize, this.#pieceFrom, exposition.to);
    columns.tailSize = exposition.to - this.#pieceFrom;
    columns.textSize += columns.tailSize;
  }

  keyText(k: number): string {
    const { text, keyAt, keySize } = this.columns;
    return text.latin1Slice(keyAt[k]!, keyAt[k]! + keySize[k]!);
  }
}

/** Tracked samples whose text is new, by the hash of their attributes: one of them may be an old series in other words. */
export function freshSeries(reading: Reading, count: number): Map<number, number[]> {
  const { columns } = reading;
  const fresh = new Map<number, number[]>();
  for (let k = 0; k < count; k++) {
    if (reading.from[k]! >= 0 || (columns.flags[k]! & TRACKED) === 0) continue;
    const list = fresh.get(columns.attributesHash[k]!);
    if (list === undefined) fresh.set(columns.attributesHash[k]!, [k]);
    else list.push(k);
  }
  return fresh;
}
