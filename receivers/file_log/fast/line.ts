/**
 * The line at hand on the fast path, and how it becomes a LogRecord. Values are places in four buffers: the input, the scratch buffer, the
 * presets of the file, the constants of the chain. Only here are they copied, once, into the batch.
 */
import { putVarint } from '#src/wire/bytes.ts';
import type { ProtoWriter } from '#src/wire/proto_writer.ts';
import type { KeyTable } from './keys.ts';
import { FIXED_VALUE, INPUT_TEXT, PRESET, REMOVED, SCRATCH_TEXT, SCRATCH_VALUE, Scratch, Slots } from './slots.ts';

/** Encoded attributes that many lines share: those of a file, and of a stream of a container. They take the first slots of a line. */
export class Presets {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly ids: Int32Array;
  /** Attribute i is [starts[i], starts[i + 1]). */
  readonly starts: Int32Array;
  readonly count: number;
  readonly size: number;

  /** `bytes` are followed by at least four more. */
  constructor(bytes: Buffer, ids: readonly number[], starts: readonly number[]) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.ids = Int32Array.from(ids);
    this.starts = Int32Array.from(starts);
    this.count = ids.length;
    this.size = starts[ids.length]!;
  }

  /** Whether all of them are as they were, small enough to be copied in words. */
  isWhole(forms: Uint8Array, slotCount: number): boolean {
    const count = this.count;
    if (count === 0 || count > slotCount || this.size > MAX_WORDS_BYTES) return false;
    for (let i = 0; i < count; i++) if (forms[i] !== PRESET) return false;
    return true;
  }
}
export const NO_PRESETS = new Presets(Buffer.alloc(8), [], [0]);

/** Up to here copying in words is faster than a native call. */
const MAX_WORDS_BYTES = 256;

export class Line {
  readonly slots = new Slots();
  readonly scratch = new Scratch();
  readonly keys: KeyTable;
  readonly constants: Buffer;
  readonly constantsView: DataView;
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Counts lines: tells which marks in the key table are of this line. */
  number = 0;
  presets: Presets = NO_PRESETS;
  bodyForm = INPUT_TEXT;
  bodyStart = 0;
  bodyEnd = 0;
  /** A filter said so: there will be no record. */
  isDropped = false;
  hasTime = false;
  timeLo = 0;
  timeHi = 0;
  severityNumber = 0;
  /** The text of the severity; REMOVED: none. */
  severityForm = REMOVED;
  severityStart = 0;
  severityEnd = 0;
  observedLo = 0;
  observedHi = 0;
  #out: Buffer | null = null;
  #outView: DataView = new DataView(new ArrayBuffer(0));

  constructor(keys: KeyTable, constants: Buffer) {
    this.keys = keys;
    this.constants = constants;
    this.constantsView = new DataView(constants.buffer, constants.byteOffset, constants.length);
  }

  setInput(bytes: Buffer): void {
    if (this.bytes === bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A new line, the body of which is [start, end). */
  begin(start: number, end: number): void {
    this.number++;
    this.slots.count = 0;
    this.scratch.top = 0;
    this.scratch.reserve((end - start) * 8 + 1024);
    this.bodyForm = INPUT_TEXT;
    this.bodyStart = start;
    this.bodyEnd = end;
    this.isDropped = false;
    this.hasTime = false;
    this.severityNumber = 0;
    this.severityForm = REMOVED;
  }

  /** The first slots become those of the presets. */
  usePresets(presets: Presets): void {
    this.presets = presets;
    const { ids, starts } = presets,
      { seen, slot } = this.keys,
      slots = this.slots,
      line = this.number;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      seen[id] = line;
      slot[id] = i;
      slots.key[i] = id;
      slots.form[i] = PRESET;
      slots.start[i] = starts[i]!;
      slots.end[i] = starts[i + 1]!;
    }
    slots.count = ids.length;
  }

  /** False for what has no time or is beyond what a plain word tells: before 1970, after 2261. */
  setTime(seconds: number, nanos: number): boolean {
    if (!(seconds > 0 && seconds < 9.2e9)) return false;
    // In two steps of 16 bits, so that no product is beyond 2^53.
    const high = Math.floor(seconds / 65536) * 1e9,
      low = (high % 65536) * 65536 + (seconds % 65536) * 1e9 + nanos;
    this.hasTime = true;
    this.timeLo = low | 0;
    this.timeHi = Math.floor(high / 65536) + Math.floor(low / 4294967296);
    return true;
  }

  /** The slot of a key on this line, -1 where it has none. */
  slotOf(id: number): number {
    return this.keys.seen[id] === this.number ? this.keys.slot[id]! : -1;
  }

  removeSlot(index: number): void {
    this.slots.form[index] = REMOVED;
    this.keys.seen[this.slots.key[index]!] = 0;
  }

  /** Gives a key a value; false where there are too many. */
  setSlot(id: number, form: number, start: number, end: number): boolean {
    const slots = this.slots;
    let index = this.slotOf(id);
    if (index < 0) {
      index = slots.count;
      if (index >= slots.key.length) return false;
      slots.count++;
      slots.key[index] = id;
      this.keys.seen[id] = this.number;
      this.keys.slot[id] = index;
    }
    slots.form[index] = form;
    slots.start[index] = start;
    slots.end[index] = end;
    return true;
  }

  /** Appends the LogRecord: 2 { 1 time, 2 severity number, 3 severity text, 5 body, 6 attributes, 11 observed time }. */
  write(writer: ProtoWriter): void {
    const { count, key, form: forms, start: starts, end: ends } = this.slots,
      { headAt, headSize, view: heads } = this.keys,
      presets = this.presets;
    let room = 64 + this.bodyEnd - this.bodyStart + this.severityEnd - this.severityStart;
    for (let i = 0; i < count; i++) room += ends[i]! - starts[i]! + headSize[key[i]!]! + 20;
    writer.reserve(room);
    if (writer.buffer !== this.#out) {
      this.#out = writer.buffer;
      this.#outView = new DataView(writer.buffer.buffer, writer.buffer.byteOffset, writer.buffer.length);
    }
    const out = writer.buffer,
      outView = this.#outView,
      record = writer.length;
    let o = record + 3; // Two bytes for the length: right for 128 to 16383.
    if (this.hasTime) {
      out[o] = 0x09;
      outView.setInt32(o + 1, this.timeLo, true);
      outView.setInt32(o + 5, this.timeHi, true);
      o += 9;
    }
    if (this.severityNumber !== 0) {
      out[o] = 0x10;
      out[o + 1] = this.severityNumber;
      o += 2;
    }
    if (this.severityForm !== REMOVED && this.severityEnd > this.severityStart) {
      out[o++] = 0x1a;
      o = putVarint(out, o, this.severityEnd - this.severityStart);
      o = this.#copy(o, this.severityForm, this.severityStart, this.severityEnd);
    }
    if (this.bodyForm !== REMOVED) {
      out[o++] = 0x2a;
      o = this.#any(o, this.bodyForm, this.bodyStart, this.bodyEnd);
    }
    let i = 0;
    if (presets.isWhole(forms, count)) {
      // Nobody touched them: one copy for all.
      i = presets.count;
      o = copyWords(outView, o, presets.view, 0, presets.size);
    }
    const input = this.view,
      scratch = this.scratch.view;
    for (; i < count; i++) {
      const form = forms[i]!,
        start = starts[i]!,
        size = ends[i]! - start;
      if (form === REMOVED) continue;
      if (form === PRESET) {
        o = this.#copy(o, PRESET, start, start + size);
        continue;
      }
      const id = key[i]!,
        head = headSize[id]!,
        isText = form === INPUT_TEXT || form === SCRATCH_TEXT;
      if (head + size < 120 && form !== FIXED_VALUE) {
        // All lengths are of one byte.
        const any = isText ? size + 2 : size;
        out[o] = 0x32;
        out[o + 1] = head + 1 + any;
        o = copyWords(outView, o + 2, heads, headAt[id]!, head);
        out[o++] = any;
        if (isText) {
          out[o] = 0x0a;
          out[o + 1] = size;
          o += 2;
        }
        o = copyWords(outView, o, form === INPUT_TEXT ? input : scratch, start, size);
        continue;
      }
      const any = isText ? 1 + sizeOf(size) + size : size;
      out[o++] = 0x32;
      o = putVarint(out, o, head + sizeOf(any) + any);
      o = copyWords(outView, o, heads, headAt[id]!, head);
      o = this.#any(o, form, start, start + size);
    }
    out[o] = 0x59;
    outView.setInt32(o + 1, this.observedLo, true);
    outView.setInt32(o + 5, this.observedHi, true);
    o += 9;
    out[record] = 0x12;
    const size = o - record - 3;
    if (size >= 128 && size < 16384) {
      out[record + 1] = (size & 127) | 128;
      out[record + 2] = size >> 7;
    } else {
      const lengthSize = sizeOf(size);
      out.copyWithin(record + 1 + lengthSize, record + 3, o);
      putVarint(out, record + 1, size);
      o += lengthSize - 2;
    }
    writer.length = o;
  }

  /** Length and content of an AnyValue. */
  #any(at: number, form: number, start: number, end: number): number {
    const out = this.#out!,
      size = end - start;
    let o = at;
    if (form === INPUT_TEXT || form === SCRATCH_TEXT) {
      o = putVarint(out, o, 1 + sizeOf(size) + size);
      out[o++] = 0x0a;
      o = putVarint(out, o, size);
    } else o = putVarint(out, o, size);
    return this.#copy(o, form, start, end);
  }

  #copy(o: number, form: number, start: number, end: number): number {
    const size = end - start;
    if (size > MAX_WORDS_BYTES) {
      const source = form === INPUT_TEXT ? this.bytes : form === PRESET ? this.presets.bytes : form === FIXED_VALUE ? this.constants : this.scratch.bytes;
      source.copy(this.#out!, o, start, end);
      return o + size;
    }
    const view = form === INPUT_TEXT ? this.view : form === PRESET ? this.presets.view : form === FIXED_VALUE ? this.constantsView : this.scratch.view;
    return copyWords(this.#outView, o, view, start, size);
  }
}

/** Copies in words of four; writes and reads up to three bytes beyond. */
function copyWords(out: DataView, at: number, source: DataView, start: number, size: number): number {
  for (let i = 0; i < size; i += 4) out.setInt32(at + i, source.getInt32(start + i, true), true);
  return at + size;
}

function sizeOf(size: number): number {
  return size < 128 ? 1 : size < 16384 ? 2 : size < 2097152 ? 3 : 4;
}

/** What stands for a value that can be moved: a map among them would have to be merged. */
export function isMapValue(line: Line, form: number, start: number, end: number): boolean {
  return form === SCRATCH_VALUE && end > start && line.scratch.bytes[start] === 0x32;
}
