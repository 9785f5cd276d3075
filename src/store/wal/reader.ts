/**
 * Reading the log: the newest checkpoint, then the segments behind it. A torn tail of the last segment is what a kill leaves: it is cut off.
 * Damage elsewhere ends the reading as in Prometheus: the segment is cut at the damage, and those behind it are set aside as they are.
 */
import fs from 'node:fs';
import path from 'node:path';
import { CorruptError, PermanentError, errorText } from '#src/core/errors.ts';
import { crc32cView } from '#src/wire/crc32c.ts';
import { snappyDecode } from '#src/wire/snappy.ts';
import { ByteWriter, viewOf } from '#src/store/bytes.ts';
import { readRecord } from './records.ts';
import type { RecordHandler } from './records.ts';
import { FIRST, FRAGMENT_HEADER, FULL, LAST, MIDDLE, PAGE_SIZE, SNAPPY_FLAG } from './writer.ts';

/** A record may be this large at most once it is put together. */
const MOST_RECORD_BYTES = 256 << 20;
const READ_BYTES = 1 << 20;

export interface ReplayReport {
  /** Number for the segment to write next. */
  nextSegment: number;
  records: number;
  /** What was cut off or set aside, in words. */
  repairs: string[];
}

const segmentNumber = (name: string): number => (/^\d{6,}$/.test(name) ? Number(name) : -1);
const checkpointNumber = (name: string): number => (/^checkpoint\.\d{6,}$/.test(name) ? Number(name.slice(11)) : -1);

/** Numbers of the segments in a directory, ascending, with their file names. */
export function listSegments(directory: string): { number: number; file: string }[] {
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  return names
    .map((name) => ({ number: segmentNumber(name), file: path.join(directory, name) }))
    .filter((segment) => segment.number >= 0)
    .sort((a, b) => a.number - b.number);
}

/** The checkpoints of a log, oldest first. Unfinished ones (".tmp") are not among them. */
export function listCheckpoints(directory: string): { number: number; directory: string }[] {
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  return names
    .map((name) => ({ number: checkpointNumber(name), directory: path.join(directory, name) }))
    .filter((checkpoint) => checkpoint.number >= 0)
    .sort((a, b) => a.number - b.number);
}

/** Hands every record of the log in `directory` to the handler, oldest first, and repairs what is damaged. */
export function replayWal(directory: string, handler: RecordHandler): ReplayReport {
  const report: ReplayReport = { nextSegment: 0, records: 0, repairs: [] };
  const checkpoint = listCheckpoints(directory).at(-1);
  const segments = listSegments(directory);
  report.nextSegment = Math.max(segments.at(-1)?.number ?? -1, checkpoint?.number ?? -1) + 1;
  if (checkpoint) {
    for (const segment of listSegments(checkpoint.directory)) {
      const damage = readSegment(segment.file, handler, report);
      if (damage) report.repairs.push(`${segment.file}: ${errorText(damage.error)}; the rest of this checkpoint segment is lost`);
    }
  }
  const behind = segments.filter((segment) => segment.number > (checkpoint?.number ?? -1));
  for (let i = 0; i < behind.length; i++) {
    const { file } = behind[i]!;
    const damage = readSegment(file, handler, report);
    if (!damage) continue;
    if (i < behind.length - 1) fs.copyFileSync(file, `${file}.corrupt`); // Not a mere torn tail: keep the evidence.
    fs.truncateSync(file, damage.offset);
    report.repairs.push(`${file}: ${errorText(damage.error)}; cut at ${damage.offset}`);
    for (const later of behind.slice(i + 1)) {
      fs.renameSync(later.file, `${later.file}.corrupt`);
      report.repairs.push(`${later.file}: set aside, because it stands behind the damage`);
    }
    break;
  }
  return report;
}

/** Reads one segment to its end, or to the damage that it returns. */
function readSegment(file: string, handler: RecordHandler, report: ReplayReport): { error: Error; offset: number } | null {
  const descriptor = fs.openSync(file, 'r');
  const buffer = new Uint8Array(READ_BYTES);
  const view = viewOf(buffer);
  const parts = new ByteWriter(PAGE_SIZE);
  let offset = 0; // Of the buffer in the file.
  let recordAt = 0; // Where the record that is being read began: what stays when it is damaged.
  let inRecord = false;
  try {
    for (;;) {
      const size = readFully(descriptor, buffer, offset);
      let pos = 0;
      while (pos < size) {
        const first = buffer[pos]!;
        const type = first & 7;
        const pageLeft = PAGE_SIZE - (pos % PAGE_SIZE);
        if (first === 0) {
          pos += pageLeft; // The rest of the page is empty.
          continue;
        }
        if (!inRecord) recordAt = offset + pos;
        if (pageLeft < FRAGMENT_HEADER) throw new CorruptError(`bytes behind the last fragment of a page`);
        if (pos + FRAGMENT_HEADER > size) throw new CorruptError(`the file ends within the header of a fragment`);
        const length = view.getUint16(pos + 1);
        const from = pos + FRAGMENT_HEADER;
        if (length > pageLeft - FRAGMENT_HEADER) throw new CorruptError(`fragment of ${length} bytes does not fit into its page`);
        if (from + length > size) throw new CorruptError(`the file ends within a fragment`);
        const wanted = view.getUint32(pos + 3);
        const computed = crc32cView(view, from, from + length);
        if (wanted !== computed) throw new CorruptError(`fragment checksum is ${wanted.toString(16)}, computed ${computed.toString(16)}`);
        if (type > LAST || (first & ~15) !== 0) throw new CorruptError(`fragment of type ${first}, which is not read`);
        if ((type === FULL || type === FIRST) === inRecord) throw new CorruptError(`fragment of type ${type} ${inRecord ? 'within' : 'outside'} a record`);
        if (type === FULL && (first & SNAPPY_FLAG) === 0) {
          if (length > 0) readRecord(buffer, from, from + length, handler);
          report.records++;
        } else {
          if (!inRecord) parts.reset();
          if (parts.size + length > MOST_RECORD_BYTES) throw new CorruptError('record too large');
          parts.raw(buffer, from, from + length);
          inRecord = type === FIRST || type === MIDDLE;
          if (!inRecord) {
            const record = (first & SNAPPY_FLAG) !== 0 ? snappyDecode(parts.written(), MOST_RECORD_BYTES) : parts.written();
            if (record.length > 0) readRecord(record, 0, record.length, handler);
            report.records++;
          }
        }
        pos = from + length;
      }
      if (size < READ_BYTES) break;
      offset += size;
    }
    return inRecord ? { error: new CorruptError('the file ends within a record'), offset: recordAt } : null;
  } catch (error) {
    if (!(error instanceof CorruptError || error instanceof PermanentError)) throw error; // Of the disk, or our own: nothing to repair.
    return { error, offset: recordAt };
  } finally {
    fs.closeSync(descriptor);
  }
}

function readFully(descriptor: number, into: Uint8Array, offset: number): number {
  let size = 0;
  while (size < into.length) {
    const n = fs.readSync(descriptor, into, size, into.length - size, offset + size);
    if (n === 0) break;
    size += n;
  }
  return size;
}
