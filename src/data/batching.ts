/**
 * Batches put together and cut apart. Together costs nothing: OTLP requests are repeated fields only, so parts are listed one behind the other.
 * Cutting repeats the headers that enclose the cut: resource, scope, and for metrics the metric without its points; whole resources are not copied, what is whole within a cut one is copied whole.
 */
import { Batch, type BatchContext, type Packed, type PackedPiece, type Signal } from '#src/core/batch.ts';
import { asBuffer } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { countItems, countPoints } from './check.ts';
import { METRIC } from './message_types.ts';
import { after, fieldsWithout, findMessage, messageEnd, messageStart, readLength, skipField } from './scan.ts';

/** One batch of all of them, in order, without copying. They must be of one signal; the context is the first one's where none is given. */
export function concatBatches(batches: readonly Batch[], context?: BatchContext): Batch {
  const [first] = batches;
  if (first === undefined) throw new RangeError('no batches to put together');
  if (batches.length === 1 && (context === undefined || context === first.context)) return first;
  const parts: Uint8Array[] = [];
  let items = 0;
  let exclusive = true;
  let lent = false;
  for (const batch of batches) {
    for (const part of batch.parts) append(parts, part);
    items += batch.itemCount;
    exclusive &&= batch.exclusive;
    lent ||= Boolean(batch.origin?.release);
  }
  const release = (): void => {
    for (const batch of batches) batch.free();
  };
  // What is lent goes back to its owners, each part by the way it came.
  const origin = exclusive && lent ? { layout: null, release } : null;
  return new Batch(first.signal, parts, items, context ?? first.context, exclusive, origin, lent ? null : joinPacked(batches));
}

/** The compressed forms one behind the other, if they are of at least half of the bytes; else none is of use any more. */
function joinPacked(batches: readonly Batch[]): Packed | null {
  if (batches.length === 1) return batches[0]!.packed;
  const coding = batches.find(({ packed }) => packed?.joinable)?.packed?.coding;
  if (coding === undefined) return dropPacked(batches);
  const pieces: PackedPiece[] = [];
  let packedBytes = 0;
  let bytes = 0;
  for (const batch of batches) {
    const { packed, sizeBytes } = batch;
    const kept = packed?.joinable && packed.coding === coding ? packed.pieces : [{ member: null, plainBytes: sizeBytes }];
    for (const piece of kept) {
      const last = pieces.at(-1);
      if (piece.member !== null) packedBytes += piece.plainBytes;
      if (piece.member === null && last?.member === null) pieces[pieces.length - 1] = { member: null, plainBytes: last.plainBytes + piece.plainBytes };
      else pieces.push(piece);
    }
    bytes += sizeBytes;
    if (packed !== null && kept !== packed.pieces) batch.freePacked();
  }
  return packedBytes * 2 >= bytes ? { coding, pieces, joinable: true } : dropPacked(batches);
}
function dropPacked(batches: readonly Batch[]): null {
  for (const batch of batches) batch.freePacked();
  return null;
}

/** Small messages that came one behind the other lie so in their slab: one view for all of them is less to write. */
function append(parts: Uint8Array[], part: Uint8Array): void {
  const last = parts.at(-1);
  if (last !== undefined && last.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset)
    parts[parts.length - 1] = Buffer.from(last.buffer as ArrayBuffer, last.byteOffset, last.length + part.length);
  else parts.push(part);
}

/** Batches of at most `maxItems` (> 0) items each, all but the last of exactly that many; the very same batch where it is small enough. */
export function splitBatch(batch: Batch, maxItems: number): Batch[] {
  if (batch.itemCount <= maxItems) return [batch];
  batch.freePacked();
  const splitter = new Splitter(batch.signal, maxItems, batch.context);
  for (const part of batch.parts) splitter.part(asBuffer(part));
  return splitter.finish();
}

const DATA_FIELDS: readonly number[] = [METRIC.gauge, METRIC.sum, METRIC.histogram, METRIC.exponentialHistogram, METRIC.summary];

/** Copies fields into the batch that is being filled; open messages are closed and opened again around each cut. */
class Splitter {
  readonly #signal: Signal;
  readonly #max: number;
  readonly #context: BatchContext;
  readonly #batches: Batch[] = [];
  readonly #writer = new ProtoWriter(1 << 16);
  #left: number;
  /** The batch that is being filled, and the run of bytes that its last piece is. */
  #pieces: Uint8Array[] = [];
  #source: Buffer | null = null;
  #from = 0;
  #to = 0;
  // Messages that are open: their field, and the fields beside the repeated one, to be written again after a cut.
  readonly #fields: number[] = [];
  readonly #headers: Buffer[] = [];
  readonly #marks: number[] = [];

  constructor(signal: Signal, max: number, context: BatchContext) {
    this.#signal = signal;
    this.#max = max;
    this.#context = context;
    this.#left = max;
  }
  part(bytes: Buffer): void {
    this.#children(bytes, 0, bytes.length, 1, 1);
  }
  finish(): Batch[] {
    this.#cut();
    return this.#batches;
  }

  /** The messages in field `field` of [start, end): resource groups (depth 1), scope groups (2), records (3), points (4). */
  #children(bytes: Buffer, start: number, end: number, field: number, depth: number): void {
    const tag = (field << 3) | 2;
    let next = start;
    for (let p = findMessage(bytes, next, end, tag); p >= 0; p = findMessage(bytes, next, end, tag)) {
      next = messageEnd;
      this.#message(bytes, p, messageStart, next, field, depth);
    }
  }
  #message(bytes: Buffer, at: number, content: number, end: number, field: number, depth: number): void {
    const points = this.#signal === 'metrics';
    const items = depth < 3 ? countItems(this.#signal, bytes, content, end, depth as 1 | 2) : depth === 3 && points ? countPoints(bytes, content, end) : 1;
    if (this.#left === 0 && items > 0) this.#cut();
    if (items <= this.#left) {
      if (depth === 1) this.#piece(bytes, at, end);
      else this.#writer.raw(bytes, at, end);
      this.#left -= items;
      return;
    }
    // Too large for what is left: take it apart.
    if (depth < 3) {
      this.#open(field, fieldsWithout(bytes, content, end, 2));
      this.#children(bytes, content, end, 2, depth + 1);
      this.#close();
      if (depth === 1) this.#flush();
      return;
    }
    for (let p = content; p < end; ) {
      const next = skipField(bytes, p, end);
      const kind = bytes[p]! >> 3;
      if ((bytes[p]! & 7) === 2 && DATA_FIELDS.includes(kind)) {
        readLength(bytes, p + 1, end);
        const from = after;
        this.#open(field, fieldsWithout(bytes, content, end, kind));
        this.#open(kind, fieldsWithout(bytes, from, next, 1));
        this.#children(bytes, from, next, 1, 4);
        this.#close();
        this.#close();
      }
      p = next;
    }
  }
  #open(field: number, header: Buffer): void {
    this.#fields.push(field);
    this.#headers.push(header);
    this.#marks.push(this.#writer.open(field, 3));
    this.#writer.raw(header);
  }
  #close(): void {
    this.#writer.close(this.#marks.pop()!);
    this.#fields.pop();
    this.#headers.pop();
  }
  /** A whole resource group is not copied: top-level fields are a message of their own, and neighbours go together. */
  #piece(bytes: Buffer, at: number, end: number): void {
    if (this.#source === bytes && this.#to === at) {
      this.#to = end;
      this.#pieces[this.#pieces.length - 1] = bytes.subarray(this.#from, end);
      return;
    }
    this.#source = bytes;
    this.#from = at;
    this.#to = end;
    this.#pieces.push(bytes.subarray(at, end));
  }
  #flush(): void {
    if (this.#writer.length > 0) this.#pieces.push(this.#writer.finish());
    this.#writer.reset();
    this.#source = null;
  }
  #cut(): void {
    const writer = this.#writer;
    for (let i = this.#marks.length - 1; i >= 0; i--) writer.close(this.#marks[i]!);
    this.#flush();
    if (this.#pieces.length > 0) this.#batches.push(new Batch(this.#signal, this.#pieces, this.#max - this.#left, this.#context));
    this.#pieces = [];
    for (let i = 0; i < this.#marks.length; i++) {
      this.#marks[i] = writer.open(this.#fields[i]!, 3);
      writer.raw(this.#headers[i]!);
    }
    this.#left = this.#max;
  }
}
