/**
 * Steps that need a text of the line or of a value: patterns, and times in layouts of their own. A string is made for what is looked at, the record
 * is still written from bytes.
 */
import type { RegexParser } from '#receivers/file_log/operators/text_parsers.ts';
import type { TimeParser } from '#receivers/file_log/operators/embedded.ts';
import type { KeyTable } from './keys.ts';
import type { Line } from './line.ts';
import { INPUT_TEXT, SCRATCH_TEXT, type Scratch } from './slots.ts';

/** Sets an attribute for each named group. False: no match. */
export function groupsStep(operator: RegexParser, keys: KeyTable): (line: Line) => boolean {
  const groups = operator.groups.map(([index]) => index),
    ids = operator.groups.map(([, name]) => keys.idOfText(name)),
    { regexp } = operator;
  return (line) => {
    if (line.bodyForm !== INPUT_TEXT) return false;
    const size = line.bodyEnd - line.bodyStart,
      scratch = line.scratch;
    if (scratch.top + size * groups.length + 64 > scratch.bytes.length) return false;
    const text = line.bytes.utf8Slice(line.bodyStart, line.bodyEnd),
      match = regexp.groups(text);
    if (match === null) return false;
    const isAscii = text.length === size;
    for (let i = 0; i < groups.length; i++) {
      const start = scratch.top;
      append(scratch, match[groups[i]!] ?? '', isAscii);
      if (!line.setSlot(ids[i]!, SCRATCH_TEXT, start, scratch.top)) return false;
    }
    return true;
  };
}

/** Up to here a loop is faster than a native call. */
const SHORT = 64;

function append(scratch: Scratch, text: string, isAscii: boolean): void {
  const { bytes, top } = scratch,
    size = text.length;
  if (!isAscii) scratch.top += bytes.utf8Write(text, top);
  else {
    if (size > SHORT) bytes.latin1Write(text, top);
    else for (let i = 0; i < size; i++) bytes[top + i] = text.charCodeAt(i);
    scratch.top = top + size;
  }
}

/** The time of an attribute, by any layout. Equal texts come one after the other: the last one is remembered. */
export function layoutTimeStep(parser: TimeParser, id: number): (line: Line) => boolean {
  const reader = parser.reader!,
    last = { text: '', seconds: 0, nanos: 0 };
  return (line) => {
    const index = line.slotOf(id);
    if (index < 0) return false;
    const form = line.slots.form[index]!;
    if (form !== INPUT_TEXT && form !== SCRATCH_TEXT) return false;
    const text = (form === INPUT_TEXT ? line.bytes : line.scratch.bytes).utf8Slice(line.slots.start[index]!, line.slots.end[index]!);
    if (text !== last.text) {
      try {
        reader.read(text);
      } catch {
        return false; // The general path says what is wrong.
      }
      last.text = text;
      last.seconds = reader.seconds;
      last.nanos = reader.nanos;
    }
    return line.setTime(last.seconds, last.nanos);
  };
}
