/**
 * What one batch has for each series: samples, and seldom histograms and exemplars. Written out as requests of limited size. A series comes once,
 * however many points it has in the batch, its samples in the order of their times.
 */
import type { Family, PromExemplar } from '#src/helper/prometheus/translate.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import type { SeriesTable } from './series_table.ts';
import { EXEMPLARS_FIELD, HISTOGRAMS_FIELD, SERIES_FIELD, SymbolTable, type Version, writeRefs, writeSample, writeSeriesMetadata } from './write_request.ts';

export class BatchSeries {
  readonly #table: SeriesTable;
  readonly #version: Version;
  readonly #symbols = new SymbolTable();
  readonly #writer = new ProtoWriter(1 << 14);
  /** Series of the batch in the order they came, and by number of the series where it stands there, -1: not yet. */
  #order = new Int32Array(256);
  #position = new Int32Array(256).fill(-1);
  /** By position: the first and last sample, -1: none. */
  #first = new Int32Array(256);
  #last = new Int32Array(256);
  /** By sample: time, value in two words, the next of the series. */
  #times = new Float64Array(512);
  #words = new Uint32Array(1024);
  #next = new Int32Array(512);
  #samples = 0;
  readonly #histograms = new Map<number, Buffer[]>();
  readonly #exemplars = new Map<number, PromExemplar[]>();
  /** By position, for version 2: the family that the series came with first. */
  #families: Omit<Family, 'name'>[] = [];
  count = 0;
  /** Of what is added next. */
  family: Omit<Family, 'name'> | null = null;

  constructor(table: SeriesTable, version: Version) {
    this.#table = table;
    this.#version = version;
  }

  reset(): void {
    for (let i = 0; i < this.count; i++) this.#position[this.#order[i]!] = -1;
    this.count = this.#samples = 0;
    this.#histograms.clear();
    this.#exemplars.clear();
    this.#families = [];
  }

  sample(series: number, timeMs: number, low: number, high: number): void {
    const at = this.#at(series),
      sample = this.#samples++;
    if (sample === this.#times.length) this.#growSamples();
    this.#times[sample] = timeMs;
    this.#words[2 * sample] = low;
    this.#words[2 * sample + 1] = high;
    this.#next[sample] = -1;
    if (this.#first[at]! < 0) this.#first[at] = sample;
    else this.#next[this.#last[at]!] = sample;
    this.#last[at] = sample;
  }
  /** The bytes are the set's from now on. */
  histogram(series: number, message: Buffer): void {
    this.#at(series);
    const list = this.#histograms.get(series);
    if (list) list.push(message);
    else this.#histograms.set(series, [message]);
  }
  exemplar(series: number, exemplar: PromExemplar): void {
    this.#at(series);
    const list = this.#exemplars.get(series);
    if (list) list.push(exemplar);
    else this.#exemplars.set(series, [exemplar]);
  }

  #at(series: number): number {
    if (series >= this.#position.length) {
      const grown = new Int32Array(Math.max(series + 1, this.#position.length * 2)).fill(-1);
      grown.set(this.#position);
      this.#position = grown;
    }
    const known = this.#position[series]!;
    if (known >= 0) return known;
    const at = this.count++;
    if (at === this.#order.length) {
      this.#order = doubled(this.#order);
      this.#first = doubled(this.#first);
      this.#last = doubled(this.#last);
    }
    this.#order[at] = series;
    this.#first[at] = this.#last[at] = -1;
    this.#position[series] = at;
    if (this.#version === 2 && this.family !== null) this.#families[at] = this.family;
    return at;
  }

  #growSamples(): void {
    const times = new Float64Array(this.#times.length * 2),
      words = new Uint32Array(this.#words.length * 2);
    times.set(this.#times);
    words.set(this.#words);
    this.#times = times;
    this.#words = words;
    this.#next = doubled(this.#next);
  }

  /** Compressed requests; none is larger than `maxBytes` before compression unless one series is. */
  requests(maxBytes: number): Buffer[] {
    const writer = this.#writer,
      symbols = this.#symbols,
      bodies: Buffer[] = [];
    const finish = (symbolCount: number): void => {
      if (this.#version === 2) symbols.write(writer, symbolCount);
      bodies.push(snappyEncode(writer.written()));
      writer.reset();
      symbols.reset();
    };
    for (let at = 0; at < this.count; at++) {
      const mark = writer.length,
        symbolCount = symbols.count;
      this.#writeSeries(at);
      if (mark === 0 || writer.length + (this.#version === 2 ? symbols.sizeBytes : 0) < maxBytes) continue;
      writer.length = mark; // It begins the next request, whose symbols have other numbers.
      finish(symbolCount);
      this.#writeSeries(at);
    }
    if (writer.length > 0) finish(symbols.count);
    return bodies;
  }

  #writeSeries(at: number): void {
    const writer = this.#writer,
      table = this.#table,
      series = this.#order[at]!,
      version = this.#version,
      mark = writer.open(SERIES_FIELD[version]!, 2);
    if (version === 1) writer.raw(table.bytes.buffer, table.start(series), table.end(series));
    else writeRefs(writer, table.texts(series), this.#symbols);
    const first = this.#first[at]!;
    if (first >= 0 && this.#next[first]! < 0) writeSample(writer, this.#times[first]!, this.#words[2 * first]!, this.#words[2 * first + 1]!);
    else if (first >= 0)
      for (const sample of this.#sorted(first)) writeSample(writer, this.#times[sample]!, this.#words[2 * sample]!, this.#words[2 * sample + 1]!);
    if (this.#histograms.size > 0) for (const message of this.#histograms.get(series) ?? []) writer.bytes(HISTOGRAMS_FIELD[version]!, message);
    if (this.#exemplars.size > 0) for (const exemplar of this.#exemplars.get(series) ?? []) this.#writeExemplar(exemplar);
    if (version === 2) {
      const { type, help, unit } = this.#families[at]!;
      writeSeriesMetadata(writer, type, this.#symbols.number(help), this.#symbols.number(unit));
    }
    writer.close(mark);
  }

  #sorted(first: number): number[] {
    const samples: number[] = [];
    for (let sample = first; sample >= 0; sample = this.#next[sample]!) samples.push(sample);
    return samples.sort((a, b) => this.#times[a]! - this.#times[b]!);
  }

  #writeExemplar({ labels, timeMs, value }: PromExemplar): void {
    const writer = this.#writer,
      mark = writer.open(EXEMPLARS_FIELD[this.#version]!, 1);
    if (this.#version === 2) {
      if (labels.length > 0) writeRefs(writer, labels, this.#symbols);
    } else
      for (let i = 0; i < labels.length; i += 2) {
        const label = writer.open(1);
        writer.text(1, labels[i]!);
        writer.text(2, labels[i + 1]!);
        writer.close(label);
      }
    writer.double(2, value);
    writer.int(3, timeMs);
    writer.close(mark);
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2);
  grown.set(array);
  return grown;
}
