/**
 * The series that were sent lately, each under a small number: its labels, encoded and, for version 2, as texts. A hash
 * table over one slab, so that a series costs its bytes and no objects. Grows until whoever owns it resets it.
 */
import { writeLabels } from '#src/helper/prometheus/labels.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import type { Version } from './write_request.ts';

export class SeriesTable {
  count = 0;
  /** Encoded labels of all series, one behind the other. */
  readonly bytes = new ProtoWriter(1 << 14);
  readonly #version: Version;
  /** Ends of the labels in `bytes`; a series begins where the one before ends. */
  #ends = new Int32Array(256);
  /** Number + 1 by hash, 0 where free; a power of two and at most half full. */
  #slots = new Int32Array(512);
  #hashes = new Int32Array(256);
  readonly #texts: (readonly string[])[] = [];

  constructor(version: Version) {
    this.#version = version;
  }

  reset(): void {
    this.count = 0;
    this.bytes.reset();
    this.#slots.fill(0);
    this.#texts.length = 0;
  }

  start(series: number): number {
    return series === 0 ? 0 : this.#ends[series - 1]!;
  }
  end(series: number): number {
    return this.#ends[series]!;
  }
  /** [name, value, ...], kept for version 2 only. */
  texts(series: number): readonly string[] {
    return this.#texts[series]!;
  }

  /** The number of the series with these labels, [name, value, ...] sorted. */
  add(labels: readonly string[]): number {
    const { bytes } = this,
      start = bytes.length;
    writeLabels(bytes, labels);
    const { buffer, length } = bytes;
    let hash = -2128831035;
    for (let i = start; i < length; i++) hash = Math.imul(hash ^ buffer[i]!, 16777619);
    for (let at = hash & (this.#slots.length - 1); this.#slots[at] !== 0; at = (at + 1) & (this.#slots.length - 1)) {
      const known = this.#slots[at]! - 1;
      if (this.#hashes[known] !== hash || buffer.compare(buffer, this.start(known), this.end(known), start, length) !== 0) continue;
      bytes.length = start;
      return known;
    }
    return this.#insert(labels, hash);
  }

  #insert(labels: readonly string[], hash: number): number {
    const series = this.count++;
    if (series === this.#ends.length) this.#grow();
    this.#ends[series] = this.bytes.length;
    this.#hashes[series] = hash;
    if (this.#version === 2) this.#texts.push(labels);
    this.#place(series);
    return series;
  }

  #place(series: number): void {
    const mask = this.#slots.length - 1;
    let at = this.#hashes[series]! & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = series + 1;
  }

  #grow(): void {
    const ends = new Int32Array(this.#ends.length * 2),
      hashes = new Int32Array(this.#hashes.length * 2);
    ends.set(this.#ends);
    hashes.set(this.#hashes);
    this.#ends = ends;
    this.#hashes = hashes;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let series = 0; series < this.count - 1; series++) this.#place(series);
  }
}
