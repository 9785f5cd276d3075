/**
 * Operators over the bytes of a line. Each is a function that returns false where the line is not the plain case; the whole line then goes
 * through the general chain instead, so a step never has to undo anything or to report an error.
 */
import type { Field } from '#receivers/file_log/field.ts';
import { encodeAnyValue } from '#receivers/file_log/encode.ts';
import { Container } from '#receivers/file_log/operators/container.ts';
import { type SeverityParser, SeverityParser as Severity, TimeParser } from '#receivers/file_log/operators/embedded.ts';
import { EntryOperator, type Operator } from '#receivers/file_log/operators/base.ts';
import { JsonParser, RegexParser } from '#receivers/file_log/operators/text_parsers.ts';
import { Add, BlockOperator, Copy, Filter, Noop, Remove } from '#receivers/file_log/operators/transformers.ts';
import { SEVERITY_NAMES } from '#receivers/file_log/severity_names.ts';
import type { Value } from '#receivers/file_log/value.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { compileCondition } from './conditions.ts';
import { InstantBytes } from './instant_bytes.ts';
import { JsonBytes } from './json_bytes.ts';
import { ANY_OFFSET } from '#src/helper/time/layout.ts';
import type { KeyTable } from './keys.ts';
import { SeverityBytes } from './severity_bytes.ts';
import { isMapValue, type Line, type Presets } from './line.ts';
import { groupsStep, layoutTimeStep } from './text_steps.ts';
import { FIXED_VALUE, INPUT_TEXT, PRESET, REMOVED, SCRATCH_TEXT, SCRATCH_VALUE } from './slots.ts';

export type Step = (line: Line) => boolean;

/** Constants of a chain, gathered while it is compiled. */
export class Constants {
  readonly #writer = new ProtoWriter(256);
  /** Content of an AnyValue; returns where it will lie. */
  value(value: Value): { start: number; end: number } {
    const start = this.#writer.length;
    encodeAnyValue(this.#writer, value, 0);
    return { start, end: this.#writer.length };
  }
  text(text: string): { start: number; end: number } {
    const start = this.#writer.length;
    this.#writer.raw(Buffer.from(text));
    return { start, end: this.#writer.length };
  }
  /** The bytes, with room for reads of whole words. */
  finish(): Buffer {
    return Buffer.concat([this.#writer.written(), Buffer.alloc(8)]);
  }
}

/** The key where a field is an attribute of its own. */
function attributeOf(field: Field): string | null {
  return field.root === 'attributes' && field.keys.length === 1 ? field.keys[0]! : null;
}
const isBody = (field: Field): boolean => field.root === 'body' && field.keys.length === 0;

/** What is needed from the file at hand while its lines are read. */
export interface FileState {
  stdout: Presets;
  stderr: Presets;
  plain: Presets;
}

/** The step of an operator; null where it has none. */
export function stepOf(operator: Operator, keys: KeyTable, constants: Constants, file: FileState, isFirst: boolean): ((line: Line) => Step) | null {
  if (operator instanceof Container) return isFirst && operator.condition === null ? containerStep(operator, file) : null;
  const step = unconditionalStep(operator, keys, constants);
  if (step === null || !(operator instanceof EntryOperator) || operator.condition === null) return step;
  const condition = compileCondition(operator.condition.source, keys);
  return (
    condition &&
    ((shared) => {
      const work = step(shared);
      return (line) => {
        const value = condition(line);
        return value > 0 ? work(line) : value === 0;
      };
    })
  );
}

function unconditionalStep(operator: Operator, keys: KeyTable, constants: Constants): ((line: Line) => Step) | null {
  if (operator instanceof Noop) return () => () => true;
  if (operator instanceof Filter) return filterStep(operator, keys);
  if (operator instanceof JsonParser) return jsonStep(operator, keys, constants);
  if (operator instanceof RegexParser) return regexStep(operator, keys, constants);
  if (operator instanceof BlockOperator) {
    if (operator.block instanceof TimeParser) return timeStep(operator.block, keys);
    if (operator.block instanceof Severity) return severityStep(operator.block, keys, constants);
    return null;
  }
  if (operator instanceof Remove) return removeStep(operator, keys);
  if (operator instanceof Add) return addStep(operator, keys, constants);
  if (operator instanceof Copy) return copyStep(operator, keys);
  return null;
}

function plainParser(operator: JsonParser | RegexParser | Container): boolean {
  return (
    isBody(operator.parseFrom) &&
    operator.parseTo.root === 'attributes' &&
    operator.parseTo.keys.length === 0 &&
    operator.bodyField === null &&
    operator.trace === null &&
    operator.scopeName === null
  );
}

const STDO = 0x6f647473,
  STDE = 0x65647473; // "stdo", "stde"

function containerStep(operator: Container, file: FileState): ((line: Line) => Step) | null {
  if (!plainParser(operator) || operator.timestamp !== null || operator.severity !== null || operator.format === 'docker') return null;
  const format = operator.format;
  const times = new InstantBytes();
  return () => (line) => {
    if (operator.held > 0) return false; // A partial line waits for its rest.
    const bytes = line.bytes,
      view = line.view,
      start = line.bodyStart,
      end = line.bodyEnd;
    let at = start;
    while (at < end && bytes[at]! > 32) at++;
    if (at + 9 > end || bytes[at] !== 32) return false;
    const word = view.getInt32(at + 1, true),
      isOut = word === STDO && bytes[at + 5] === 117 && bytes[at + 6] === 116;
    if (!isOut && !(word === STDE && bytes[at + 5] === 114 && bytes[at + 6] === 114)) return false;
    // " stdout F" and a space, or the end.
    if (bytes[at + 7] !== 32 || bytes[at + 8] !== 70 || !(at + 9 === end || bytes[at + 9] === 32)) return false;
    if (!times.read(bytes, view, start, at, 84)) return false;
    if (format !== '' && times.isUtc !== (format === 'containerd')) return false;
    line.usePresets(isOut ? file.stdout : file.stderr);
    line.hasTime = true;
    line.timeLo = times.lo;
    line.timeHi = times.hi;
    line.bodyStart = at + 9 === end ? end : at + 10;
    return true;
  };
}

function jsonStep(operator: JsonParser, keys: KeyTable, constants: Constants): ((line: Line) => Step) | null {
  if (!plainParser(operator)) return null;
  const time = operator.timestamp === null ? null : timeStep(operator.timestamp, keys);
  const severity = operator.severity === null ? null : severityStep(operator.severity, keys, constants);
  if ((operator.timestamp !== null && time === null) || (operator.severity !== null && severity === null)) return null;
  return (shared) => {
    const json = new JsonBytes(keys, shared.slots, shared.scratch, operator.parseInts);
    const timeOf = time?.(shared) ?? null,
      severityOf = severity?.(shared) ?? null;
    return (line) => {
      if (line.bodyForm !== INPUT_TEXT) return false;
      json.bytes = line.bytes;
      json.view = line.view;
      const count = line.slots.count;
      if (!json.read(line.bodyStart, line.bodyEnd, line.number, count > 0 ? line.slots.key[count - 1]! : 0)) return false;
      return (timeOf === null || timeOf(line)) && (severityOf === null || severityOf(line));
    };
  };
}

function regexStep(operator: RegexParser, keys: KeyTable, constants: Constants): ((line: Line) => Step) | null {
  if (!plainParser(operator)) return null;
  const time = operator.timestamp === null ? null : timeStep(operator.timestamp, keys);
  const severity = operator.severity === null ? null : severityStep(operator.severity, keys, constants);
  if ((operator.timestamp !== null && time === null) || (operator.severity !== null && severity === null)) return null;
  const groups = groupsStep(operator, keys);
  return (shared) => {
    const timeOf = time?.(shared) ?? null,
      severityOf = severity?.(shared) ?? null;
    return (line) => groups(line) && (timeOf === null || timeOf(line)) && (severityOf === null || severityOf(line));
  };
}

/** The byte between date and time where a layout takes plain RFC 3339 times and reads them as such; -1 where it does not. */
function separatorOf(parser: TimeParser): number {
  if (parser.layoutType !== 'layout') return -1;
  const steps = parser.steps,
    kinds = steps.map((step) => step.kind),
    prefixes = steps.map((step) => step.prefix);
  const date = ['year', 'month', 'day', 'hour', 'minute', 'second'];
  const separator = prefixes[3];
  if (
    separator === undefined ||
    separator.length !== 1 ||
    prefixes[0] !== '' ||
    prefixes[1] !== '-' ||
    prefixes[2] !== '-' ||
    prefixes[4] !== ':' ||
    prefixes[5] !== ':'
  )
    return -1;
  for (let i = 0; i < 6; i++) if (kinds[i] !== date[i] && kinds[i] !== `${date[i]}0`) return -1;
  let i = 6;
  if (kinds[i] === 'fraction9' && prefixes[i] === '') i++;
  // An offset with Z: nothing else says which instant it is, whatever the location.
  const last = steps[i];
  if (i + 1 !== steps.length || last === undefined || last.prefix !== '') return -1;
  return last.kind === 'offset' && (last.element === ANY_OFFSET || last.element === 'Z07:00') ? separator.charCodeAt(0) : -1;
}

function timeStep(parser: TimeParser, keys: KeyTable): ((line: Line) => Step) | null {
  const key = attributeOf(parser.parseFrom),
    separator = separatorOf(parser);
  if (key === null || parser.layoutType !== 'layout') return null;
  const id = keys.idOfText(key),
    times = new InstantBytes();
  if (separator < 0) return () => layoutTimeStep(parser, id);
  return () => (line) => {
    const index = line.slotOf(id),
      form = index < 0 ? REMOVED : line.slots.form[index]!;
    if (form !== INPUT_TEXT && form !== SCRATCH_TEXT) return false;
    const source = form === INPUT_TEXT ? line : line.scratch;
    if (!times.read(source.bytes, source.view, line.slots.start[index]!, line.slots.end[index]!, separator)) return false;
    line.hasTime = true;
    line.timeLo = times.lo;
    line.timeHi = times.hi;
    return true;
  };
}

function severityStep(parser: SeverityParser, keys: KeyTable, constants: Constants): ((line: Line) => Step) | null {
  const key = attributeOf(parser.parseFrom);
  if (key === null) return null;
  const id = keys.idOfText(key),
    severities = new SeverityTable(parser, constants);
  return () => (line) => {
    const index = line.slotOf(id);
    if (index < 0) return false;
    const form = line.slots.form[index]!;
    if (form !== INPUT_TEXT && form !== SCRATCH_TEXT) return false;
    if (line.slots.end[index] === line.slots.start[index]) return false;
    severities.apply(line, form, line.slots.start[index]!, line.slots.end[index]!);
    return true;
  };
}

class SeverityTable {
  readonly #numbers: SeverityBytes;
  /** By number: the short name that replaces the text; empty where the text stays. */
  readonly #names: readonly { start: number; end: number }[];
  constructor(parser: SeverityParser, constants: Constants) {
    this.#numbers = new SeverityBytes(parser.table);
    this.#names = parser.overwriteText ? SEVERITY_NAMES.map((name) => constants.text(name)) : [];
  }
  apply(line: Line, form: number, start: number, end: number): void {
    const inInput = form === INPUT_TEXT;
    const number = this.#numbers.numberOf(inInput ? line.bytes : line.scratch.bytes, inInput ? line.view : line.scratch.view, start, end);
    const name = number > 0 ? this.#names[number] : undefined;
    line.severityNumber = number;
    line.severityForm = name === undefined ? form : FIXED_VALUE;
    line.severityStart = name === undefined ? start : name.start;
    line.severityEnd = name === undefined ? end : name.end;
  }
}

function filterStep(operator: Filter, keys: KeyTable): ((line: Line) => Step) | null {
  const condition = operator.ratio === 1 ? compileCondition(operator.expression.source, keys) : null;
  return (
    condition &&
    (() => (line) => {
      const value = condition(line);
      line.isDropped = value > 0;
      return value >= 0;
    })
  );
}

function removeStep(operator: Remove, keys: KeyTable): ((line: Line) => Step) | null {
  const key = attributeOf(operator.field);
  if (key === null) return null;
  const id = keys.idOfText(key);
  return () => (line) => {
    const index = line.slotOf(id);
    if (index < 0) return false;
    line.removeSlot(index);
    return true;
  };
}

function addStep(operator: Add, keys: KeyTable, constants: Constants): ((line: Line) => Step) | null {
  const key = attributeOf(operator.field),
    value = operator.fixed;
  if (key === null || value === undefined || value instanceof Map) return null;
  const id = keys.idOfText(key),
    { start, end } = constants.value(value);
  return () => (line) => line.setSlot(id, FIXED_VALUE, start, end);
}

function copyStep(operator: Copy, keys: KeyTable): ((line: Line) => Step) | null {
  const from = attributeOf(operator.from),
    to = attributeOf(operator.to),
    toBody = isBody(operator.to);
  if (from === null || (to === null && !toBody)) return null;
  const source = keys.idOfText(from),
    target = to === null ? 0 : keys.idOfText(to),
    moves = operator.moves;
  return () => (line) => {
    const index = line.slotOf(source);
    if (index < 0) return false;
    const form = line.slots.form[index]!,
      start = line.slots.start[index]!,
      end = line.slots.end[index]!;
    // A map merges into what is there; a null body is no body: both are left to the general path.
    if (form === PRESET || isMapValue(line, form, start, end)) return false;
    if (toBody) {
      if (end === start && form === SCRATCH_VALUE) return false;
      if (moves) line.removeSlot(index);
      line.bodyForm = form;
      line.bodyStart = start;
      line.bodyEnd = end;
      return line.bodyForm !== REMOVED;
    }
    if (moves) line.removeSlot(index);
    return line.setSlot(target, form, start, end);
  };
}
