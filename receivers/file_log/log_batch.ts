/**
 * A batch under construction: records are encoded as they come, in one buffer for each resource and scope, with room left at its front for
 * the enclosing messages. The general path gives entries; the fast path writes its bytes into the same buffers.
 */
import { Batch, EMPTY_CONTEXT } from '#src/core/batch.ts';
import { freeBytes } from '#src/core/slab.ts';
import { putVarint, varintSize } from '#src/wire/bytes.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { encodeRecord, encodeResource, encodeScope } from './encode.ts';
import type { Entry } from './entry.ts';
import { toJson } from './json_text.ts';
import { Pace } from './pace.ts';

/** First size of a buffer; most files give far less than a full batch in one poll. */
const FIRST_CAPACITY = 16 * 1024;
/** Buffers that came back wait for the next batches while files are read: fresh memory costs page faults, and V8 a full collection every few batches. */
const MAX_SPARE_BYTES = 16 << 20;

/** The records of one resource and scope. */
export class RecordGroup {
  readonly writer: ProtoWriter;
  readonly #resource: Uint8Array;
  readonly #scope: Uint8Array;
  readonly #head: number;
  count = 0;

  constructor(resource: Uint8Array, scope: Uint8Array, writer: ProtoWriter) {
    this.#resource = resource;
    this.#scope = scope;
    // Five tags with lengths of at most five bytes each, and the two messages themselves.
    this.#head = 32 + resource.length + scope.length;
    this.writer = writer;
    writer.reset();
    writer.reserve(this.#head + 256);
    writer.length = this.#head;
  }

  get sizeBytes(): number {
    return this.writer.length - this.#head;
  }

  /** A whole LogsData message: ResourceLogs { resource, ScopeLogs { scope, records } }. The buffer is handed out with it. */
  finish(): Uint8Array {
    const bytes = this.writer.buffer,
      end = this.writer.length,
      records = end - this.#head,
      resource = this.#resource,
      scope = this.#scope;
    const scopeSize = 1 + varintSize(scope.length) + scope.length + records;
    const resourceSize = 1 + varintSize(resource.length) + resource.length + 1 + varintSize(scopeSize) + scopeSize;
    const start = end - resourceSize - 1 - varintSize(resourceSize);
    let at = start;
    bytes[at++] = 0x0a;
    at = putVarint(bytes, at, resourceSize);
    bytes[at++] = 0x0a;
    at = putVarint(bytes, at, resource.length);
    bytes.set(resource, at);
    at += resource.length;
    bytes[at++] = 0x12;
    at = putVarint(bytes, at, scopeSize);
    bytes[at++] = 0x0a;
    at = putVarint(bytes, at, scope.length);
    bytes.set(scope, at);
    return bytes.subarray(start, end);
  }
}

export class LogBatch {
  readonly #groups = new Map<string, RecordGroup>();
  /** The group of the entry before: the next one mostly belongs to it, too. */
  #lastKey = '';
  #last: RecordGroup | null = null;
  #capacity = FIRST_CAPACITY;
  readonly #spare: ProtoWriter[] = [];
  readonly pace = new Pace();
  #spareBytes = 0;

  get count(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.count;
    return count;
  }
  get sizeBytes(): number {
    let size = 0;
    for (const group of this.#groups.values()) size += group.sizeBytes;
    return size;
  }
  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** The group of a resource and scope. `key` stands for both: equal keys, equal contents. */
  group(key: string, resource: () => Uint8Array, scopeName: string): RecordGroup {
    if (this.#last !== null && key === this.#lastKey) return this.#last;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const writer = this.#groups.size === 0 ? this.#writer() : new ProtoWriter(FIRST_CAPACITY);
      group = new RecordGroup(resource(), encodeScope(scopeName), writer);
      this.#groups.set(key, group);
    }
    this.#lastKey = key;
    this.#last = group;
    return group;
  }

  add(entry: Entry): void {
    const resource = entry.resource;
    const key = groupKey(resource.size === 0 ? '' : toJson(resource), entry.scopeName);
    const group = this.group(key, () => encodeResource(resource), entry.scopeName);
    encodeRecord(group.writer, entry);
    group.count++;
  }

  /** The batch, and a fresh start for this object; null where it is empty. */
  take(): Batch | null {
    const count = this.count;
    if (count === 0) {
      this.#clear();
      return null;
    }
    const parts: Uint8Array[] = [],
      writers: ProtoWriter[] = [];
    let largest = 0,
      lentBytes = 0;
    for (const group of this.#groups.values()) {
      if (group.count === 0) continue;
      const part = group.finish();
      parts.push(part);
      writers.push(group.writer);
      lentBytes += group.writer.buffer.length;
      largest = Math.max(largest, part.length);
    }
    // The next batch will likely be as large: growing would copy.
    this.#capacity = largest > FIRST_CAPACITY / 2 ? largest + (largest >> 2) : FIRST_CAPACITY;
    this.#clear();
    const returned = this.pace.lend(lentBytes);
    const release = (): void => {
      this.#takeBack(writers);
      returned();
    };
    return new Batch('logs', parts, count, EMPTY_CONTEXT, true, { layout: null, release });
  }

  /** Lets go of memory that is kept for the next batches; while nothing is read there are none. */
  trim(): void {
    for (const writer of this.#spare) freeBytes(writer.buffer);
    this.#spare.length = 0;
    this.#spareBytes = 0;
    this.pace.rest();
  }

  #writer(): ProtoWriter {
    const writer = this.#spare.pop();
    if (writer === undefined) return new ProtoWriter(this.#capacity);
    this.#spareBytes -= writer.buffer.length;
    return writer;
  }

  /** Only large buffers are worth keeping, and only such as a full batch needs. */
  #takeBack(writers: readonly ProtoWriter[]): void {
    for (const writer of writers) {
      const size = writer.buffer.length;
      if (size >= this.#capacity / 2 && size > FIRST_CAPACITY && this.#spareBytes + size <= MAX_SPARE_BYTES) {
        this.#spare.push(writer);
        this.#spareBytes += size;
      } else freeBytes(writer.buffer);
    }
  }

  #clear(): void {
    this.#groups.clear();
    this.#last = null;
    this.#lastKey = '';
  }
}

export function groupKey(resource: string, scopeName: string): string {
  return scopeName === '' ? resource : `${scopeName}\0${resource}`;
}
