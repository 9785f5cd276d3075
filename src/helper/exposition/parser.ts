/**
 * Reads a text exposition entry by entry: the Prometheus text format 0.0.4 and 1.0.0, OpenMetrics 1.0 and 0.0.1, and "transcoded", which is OpenMetrics
 * as protobuf.ts writes it (times in milliseconds, "H<index>" for the value of a native histogram). What is accepted follows Prometheus's lexers, odd
 * corners included: one blank between tokens in OpenMetrics, any in the text format; a carriage return is part of a value and so an error.
 *
 * The parser makes no object and no string for a sample: it leaves offsets. A caller that knows what probably comes next passes the bytes of that
 * series, and where they match nothing is lexed at all.
 */
import { isUtf8 } from 'node:buffer';
import { formatLabelFloat, numberEnd, parseGoFloat, parseNumber } from './number.ts';

export type Format = 'text' | 'openmetrics' | 'transcoded';
export type MetricType = 'unknown' | 'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset';

export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
}

/** What next() found. */
export const END = 0;
export const SERIES = 1;
export const TYPE = 2;
export const HELP = 3;
export const UNIT = 4;
export type Entry = 0 | 1 | 2 | 3 | 4;

export interface ParsedExemplar {
  /** Names and values in turn. */
  readonly labels: readonly string[];
  readonly value: number;
  /** Milliseconds, or NaN where the exposition gave none. */
  readonly timeMs: number;
}

const TEXT_TYPES: ReadonlyMap<string, MetricType> = new Map([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['summary', 'summary'],
  ['untyped', 'unknown'],
]);
const OPENMETRICS_TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown']);

/** Bit 1: may start a metric name; 2: may go on in one; 4: may start a label name; 8: may go on in one. */
const NAME = new Uint8Array(256);
for (let code = 0; code < 128; code++) {
  const letter = (code | 32) >= 97 && (code | 32) <= 122;
  const digit = code >= 48 && code <= 57;
  if (letter || code === 95) NAME[code] = 15;
  else if (code === 58) NAME[code] = 3;
  else if (digit) NAME[code] = 10;
}

const LF = 10;
const SPACE = 32;
const TAB = 9;
const QUOTE = 34;
const HASH = 35;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

/** A label set of more names fails the scrape, so that a broken target cannot exhaust memory. */
const MAX_LABELS = 1024;

export class ExpositionParser {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  pos = 0;
  end = 0;
  format: Format = 'text';
  /** The series with its labels: bytes[keyFrom, keyTo). */
  keyFrom = 0;
  keyTo = 0;
  /** The number's text starts at valueFrom and ends at valueTo. */
  valueFrom = 0;
  valueTo = 0;
  value = 0;
  /** Milliseconds; NaN where the line has no timestamp. */
  timeMs = Number.NaN;
  /** Index of the native histogram that is the value, or -1. Only in the transcoded format. */
  histogramIndex = -1;
  /** After SERIES that was lexed: offsets of the metric's name, then of each label's name and value: from, to. Empty after a match with what was expected. */
  offsets = new Int32Array(2 + 4 * MAX_LABELS);
  labelCount = 0;
  lexed = false;
  /** The exemplar of the series, or null. */
  exemplar: ParsedExemplar | null = null;
  /** After TYPE, HELP and UNIT. */
  family = '';
  text = '';
  /** Of the last TYPE line, whatever family it was for: le and quantile are rewritten by it, as in Prometheus. */
  type: MetricType = 'unknown';
  #exemplarLabels: string[] = [];

  /** The bytes are read in place until END. */
  reset(bytes: Buffer, view: DataView, from: number, to: number, format: Format): void {
    this.bytes = bytes;
    this.view = view;
    this.pos = from;
    this.end = to;
    this.format = format;
    this.type = 'unknown';
  }

  /** Throws ExpositionError. `expectedSize` bytes of `expected` from `expectedFrom` on are the series that probably comes next; size 0: nothing known. */
  next(expected: DataView, expectedFrom: number, expectedSize: number): Entry {
    return this.format === 'text' ? this.#nextText(expected, expectedFrom, expectedSize) : this.#nextOpenMetrics(expected, expectedFrom, expectedSize);
  }

  #nextText(expected: DataView, expectedFrom: number, expectedSize: number): Entry {
    const { bytes, end } = this;
    for (;;) {
      let pos = this.pos;
      let code = pos < end ? bytes[pos]! : 0;
      while (code === SPACE || code === TAB || code === LF) code = ++pos < end ? bytes[pos]! : 0;
      this.pos = pos;
      if (code === 0) return END;
      if (code === HASH) {
        const entry = this.#textComment();
        if (entry !== END) return entry;
        continue;
      }
      if (expectedSize > 0 && this.#matches(expected, expectedFrom, expectedSize)) {
        const after = bytes[this.keyTo]!;
        if (after === SPACE || after === TAB) {
          this.lexed = false;
          this.#textValue(this.keyTo);
          return SERIES;
        }
      }
      this.#textValue(this.#series(pos, code, false));
      return SERIES;
    }
  }

  /** The name and the labels of a series that begins at `from` with `code`. Returns where its value is to be looked for. */
  #series(from: number, code: number, isOpenMetrics: boolean): number {
    let pos = from;
    this.keyFrom = pos;
    this.lexed = true;
    this.labelCount = 0;
    this.offsets[0] = -1;
    if (code !== OPEN) {
      pos = this.#metricName(pos);
      this.keyTo = pos;
      if (!isOpenMetrics) pos = this.#skipBlanks(pos);
    }
    if (pos < this.end && this.bytes[pos] === OPEN) {
      pos = this.#labels(pos + 1, isOpenMetrics);
      this.keyTo = pos;
      this.#checkUtf8();
    }
    if (this.offsets[0] === -1) throw this.#error('the metric has no name');
    return pos;
  }

  #textValue(from: number): void {
    const { bytes, end } = this;
    const start = this.#skipBlanks(from);
    const value = parseNumber(bytes, start, end);
    if (value === undefined) throw this.#error('a value is missing or is no number');
    let pos = numberEnd();
    this.value = value;
    this.valueFrom = start;
    this.valueTo = pos;
    this.timeMs = Number.NaN;
    this.exemplar = null;
    this.histogramIndex = -1;
    pos = this.#skipBlanks(pos);
    if (pos < end && bytes[pos] !== LF) {
      let time = 0;
      const timeFrom = pos;
      for (let code = bytes[pos]!; code >= 48 && code <= 57; code = ++pos < end ? bytes[pos]! : 0) time = time * 10 + (code - 48);
      if (pos === timeFrom || time > 9e15) throw this.#error('a timestamp is not a whole number of milliseconds');
      this.timeMs = time;
      pos = this.#skipBlanks(pos);
      if (pos < end && bytes[pos] !== LF) throw this.#error('something follows the timestamp');
    }
    this.pos = pos + 1;
  }

  #textComment(): Entry {
    const { bytes, end } = this;
    let lineEnd = bytes.indexOf(LF, this.pos);
    if (lineEnd < 0 || lineEnd > end) lineEnd = end;
    let pos = this.#skipBlanks(this.pos + 1);
    const blank = pos > this.pos + 1;
    const word = blank && pos + 5 <= lineEnd ? bytes.latin1Slice(pos, pos + 4) : '';
    const isMeta = (word === 'HELP' || word === 'TYPE') && (bytes[pos + 4] === SPACE || bytes[pos + 4] === TAB);
    if (!isMeta) {
      this.pos = lineEnd + 1;
      return END;
    }
    pos = this.#skipBlanks(pos + 4);
    pos = this.#familyName(pos);
    if (pos > lineEnd) throw this.#error('a comment has a broken name');
    const text = bytes.subarray(Math.min(pos + 1, lineEnd), lineEnd);
    this.pos = lineEnd + 1;
    if (word === 'TYPE') {
      const type = TEXT_TYPES.get(text.latin1Slice());
      if (type === undefined) throw this.#error(`"${text.toString('utf8', 0, 50)}" is not a metric type`);
      this.type = type;
      this.text = type;
      return TYPE;
    }
    if (!isUtf8(text)) throw this.#error('a help text is not valid UTF-8');
    this.text = unescapeHelp(text.utf8Slice());
    return HELP;
  }

  #nextOpenMetrics(expected: DataView, expectedFrom: number, expectedSize: number): Entry {
    const { bytes, end, pos } = this;
    if (pos >= end) throw this.#error('the exposition does not end with "# EOF"');
    const code = bytes[pos]!;
    if (code === HASH) return this.#openMetricsComment();
    if (expectedSize > 0 && this.#matches(expected, expectedFrom, expectedSize) && bytes[this.keyTo] === SPACE) {
      this.lexed = false;
      this.#openMetricsValue(this.keyTo);
      return SERIES;
    }
    this.#openMetricsValue(this.#series(pos, code, true));
    return SERIES;
  }

  #openMetricsValue(from: number): void {
    const { bytes, end } = this;
    if (bytes[from] !== SPACE || from + 1 >= end) throw this.#error('a blank and a value must follow the series');
    this.exemplar = null;
    this.timeMs = Number.NaN;
    this.histogramIndex = -1;
    this.valueFrom = from + 1;
    if (this.format === 'transcoded' && bytes[from + 1] === 72) {
      this.histogramIndex = parseNumber(bytes, from + 2, end) ?? -1;
      this.value = 0;
    } else {
      const value = parseNumber(bytes, from + 1, end);
      if (value === undefined) throw this.#error('a value is missing or is no number');
      this.value = value;
    }
    let pos = numberEnd();
    this.valueTo = pos;
    if (pos + 1 < end && bytes[pos] === SPACE && bytes[pos + 1] !== HASH) {
      this.timeMs = this.#seconds(pos + 1);
      pos = numberEnd();
    }
    if (pos + 3 < end && bytes[pos] === SPACE && bytes[pos + 1] === HASH && bytes[pos + 2] === SPACE && bytes[pos + 3] === OPEN) pos = this.#exemplar(pos + 4);
    if (pos >= end) throw this.#error('the exposition does not end with "# EOF"');
    if (bytes[pos] !== LF) throw this.#error('something follows the value');
    this.pos = pos + 1;
  }

  /** A timestamp in seconds, as milliseconds; numberEnd() is where it ends. */
  #seconds(from: number): number {
    const seconds = parseNumber(this.bytes, from, this.end);
    if (seconds === undefined || !Number.isFinite(seconds)) throw this.#error('a timestamp is no number');
    return this.format === 'transcoded' ? seconds : Math.trunc(seconds * 1000);
  }

  #exemplar(from: number): number {
    const { bytes, end } = this;
    const labels: string[] = [];
    this.#exemplarLabels = labels;
    // The labels of the series stay where they are; those of the exemplar become strings at once.
    let pos = this.#exemplarPairs(from);
    if (bytes[pos] !== SPACE || pos + 1 >= end) throw this.#error('a blank and a value must follow the labels of an exemplar');
    const value = parseNumber(bytes, pos + 1, end);
    if (value === undefined) throw this.#error('the value of an exemplar is no number');
    pos = numberEnd();
    let timeMs = Number.NaN;
    if (pos < end && bytes[pos] === SPACE) {
      timeMs = this.#seconds(pos + 1);
      pos = numberEnd();
    }
    this.exemplar = { labels, value, timeMs };
    return pos;
  }

  #exemplarPairs(from: number): number {
    const { bytes, end } = this;
    let pos = from;
    for (;;) {
      if (pos >= end) throw this.#error('an exemplar does not end');
      if (bytes[pos] === CLOSE) return pos + 1;
      const nameFrom = pos;
      pos = bytes[pos] === QUOTE ? this.#quoted(pos, true) : this.#labelName(pos);
      const quoted = bytes[nameFrom] === QUOTE ? 1 : 0;
      const name = bytes.utf8Slice(nameFrom + quoted, pos - quoted);
      if (bytes[pos] !== EQUALS || bytes[pos + 1] !== QUOTE) throw this.#error('an exemplar needs name="value"');
      const valueFrom = pos + 2;
      pos = this.#quoted(pos + 1, true);
      this.#exemplarLabels.push(name, bytes.utf8Slice(valueFrom, pos - 1));
      if (bytes[pos] === COMMA) pos++;
      else if (bytes[pos] !== CLOSE) throw this.#error('the labels of an exemplar need a comma between them');
    }
  }

  #openMetricsComment(): Entry {
    const { bytes, end, pos } = this;
    const word = bytes.latin1Slice(pos, Math.min(pos + 7, end));
    if (word.startsWith('# EOF')) {
      const after = word.length > 5 && word.charCodeAt(5) === LF ? pos + 6 : pos + 5;
      if (after < end) throw this.#error('something follows "# EOF"');
      return END;
    }
    const lineEnd = bytes.indexOf(LF, pos);
    const kind = word === '# TYPE ' ? TYPE : word === '# HELP ' ? HELP : word === '# UNIT ' ? UNIT : END;
    if (kind === END || lineEnd < 0 || lineEnd >= end) throw this.#error('a comment is none of TYPE, HELP, UNIT and EOF');
    const nameEnd = this.#familyName(pos + 7);
    if (nameEnd >= lineEnd || bytes[nameEnd] !== SPACE) throw this.#error('a text must follow the name in a comment');
    const text = bytes.subarray(nameEnd + 1, lineEnd);
    this.pos = lineEnd + 1;
    if (kind === TYPE) {
      const type = text.latin1Slice();
      if (!OPENMETRICS_TYPES.has(type)) throw this.#error(`"${text.toString('utf8', 0, 50)}" is not a metric type`);
      this.type = type as MetricType;
      this.text = type;
      return TYPE;
    }
    if (!isUtf8(text)) throw this.#error('a text is not valid UTF-8');
    this.text = text.utf8Slice();
    if (kind === HELP) {
      this.text = unescapeLabel(this.text);
      return HELP;
    }
    if (this.format !== 'transcoded' && this.text !== '' && !this.family.endsWith(`_${this.text}`))
      throw this.#error(`the unit "${this.text}" is not a suffix of "${this.family}"`);
    return UNIT;
  }

  #matches(expected: DataView, expectedFrom: number, size: number): boolean {
    const { view, pos } = this;
    if (pos + size >= this.end) return false;
    let offset = 0;
    for (const words = size - 7; offset < words; offset += 8) {
      if (view.getInt32(pos + offset, true) !== expected.getInt32(expectedFrom + offset, true)) return false;
      if (view.getInt32(pos + offset + 4, true) !== expected.getInt32(expectedFrom + offset + 4, true)) return false;
    }
    for (; offset < size; offset++) if (view.getUint8(pos + offset) !== expected.getUint8(expectedFrom + offset)) return false;
    this.keyFrom = pos;
    this.keyTo = pos + size;
    return true;
  }

  /** The name of a TYPE, HELP or UNIT line goes to `family`. Returns where it ends. */
  #familyName(from: number): number {
    if (this.bytes[from] === QUOTE) {
      const to = this.#quoted(from, false);
      this.family = unescapeLabel(this.bytes.utf8Slice(from + 1, to - 1));
      return to;
    }
    const to = this.#nameEnd(from, 1, 2);
    if (to === from) throw this.#error('a metric name must follow in a comment');
    this.family = this.bytes.latin1Slice(from, to);
    return to;
  }

  #metricName(from: number): number {
    const to = this.#nameEnd(from, 1, 2);
    if (to === from) throw this.#error('a line starts with neither a metric name nor a brace');
    this.offsets[0] = from;
    this.offsets[1] = to;
    return to;
  }

  #labelName(from: number): number {
    const to = this.#nameEnd(from, 4, 8);
    if (to === from) throw this.#error('a label name is missing');
    return to;
  }

  #nameEnd(from: number, first: number, further: number): number {
    const { bytes, end } = this;
    if (from >= end || (NAME[bytes[from]!]! & first) === 0) return from;
    let pos = from + 1;
    while (pos < end && (NAME[bytes[pos]!]! & further) !== 0) pos++;
    return pos;
  }

  /** From the opening quote to behind the closing one. */
  #quoted(from: number, oneLine: boolean): number {
    const { bytes, end } = this;
    let pos = from + 1;
    for (; pos < end; pos++) {
      const code = bytes[pos]!;
      if (code === QUOTE) return pos + 1;
      if (code === BACKSLASH) pos++;
      else if (code === LF && oneLine) break;
    }
    throw this.#error('a quote is not closed');
  }

  /** Behind the opening brace to behind the closing one. Strict: no blanks, and a comma between labels, as in OpenMetrics. */
  #labels(from: number, strict: boolean): number {
    const { bytes, end, offsets } = this;
    let pos = strict ? from : this.#skipBlanks(from);
    for (;;) {
      if (pos >= end) throw this.#error('a brace is not closed');
      const code = bytes[pos]!;
      if (code === CLOSE) return pos + 1;
      const quoted = code === QUOTE;
      const nameFrom = quoted ? pos + 1 : pos;
      pos = quoted ? this.#quoted(pos, false) : this.#labelName(pos);
      const nameTo = quoted ? pos - 1 : pos;
      if (!strict) pos = this.#skipBlanks(pos);
      if (quoted && (bytes[pos] === COMMA || bytes[pos] === CLOSE)) {
        if (offsets[0] !== -1) throw this.#error('the metric has two names');
        offsets[0] = nameFrom;
        offsets[1] = nameTo;
        if (bytes[pos] === CLOSE) return pos + 1;
        pos = strict ? pos + 1 : this.#skipBlanks(pos + 1);
        continue;
      }
      if (pos >= end || bytes[pos] !== EQUALS) throw this.#error('an equals sign must follow the label name');
      pos = strict ? pos + 1 : this.#skipBlanks(pos + 1);
      if (pos >= end || bytes[pos] !== QUOTE) throw this.#error('a label value needs quotes');
      const valueFrom = pos + 1;
      pos = this.#quoted(pos, strict);
      if (this.labelCount === MAX_LABELS) throw this.#error(`a series has more than ${MAX_LABELS} labels`);
      const at = 2 + 4 * this.labelCount++;
      offsets[at] = nameFrom;
      offsets[at + 1] = nameTo;
      offsets[at + 2] = valueFrom;
      offsets[at + 3] = pos - 1;
      if (!strict) pos = this.#skipBlanks(pos);
      if (pos < end && bytes[pos] === COMMA) pos = strict ? pos + 1 : this.#skipBlanks(pos + 1);
      else if (strict && bytes[pos] !== CLOSE) throw this.#error('labels need a comma between them');
    }
  }

  #checkUtf8(): void {
    if (!isUtf8(this.bytes.subarray(this.keyFrom, this.keyTo))) throw this.#error('a label is not valid UTF-8');
  }

  #skipBlanks(from: number): number {
    const { bytes, end } = this;
    let pos = from;
    while (pos < end && (bytes[pos] === SPACE || bytes[pos] === TAB)) pos++;
    return pos;
  }

  /** The metric's name and its labels [name, value, ...] as the line has them, after SERIES that was lexed. */
  seriesLabels(): { name: string; labels: string[] } {
    const { bytes, offsets } = this;
    const piece = (at: number): string => unescapeLabel(bytes.utf8Slice(offsets[at]!, offsets[at + 1]!));
    const labels: string[] = [];
    for (let i = 0; i < this.labelCount; i++) {
      const name = piece(2 + 4 * i);
      let value = piece(4 + 4 * i);
      if ((this.type === 'histogram' && name === 'le') || (this.type === 'summary' && name === 'quantile')) {
        const bound = parseGoFloat(value);
        if (bound !== undefined) value = formatLabelFloat(bound);
      }
      labels.push(name, value);
    }
    return { name: piece(0), labels };
  }

  #error(what: string): ExpositionError {
    const from = Math.min(this.pos, this.end);
    let to = this.bytes.indexOf(LF, from);
    if (to < 0 || to > this.end || to > from + 120) to = Math.min(this.end, from + 120);
    return new ExpositionError(`${what} in "${this.bytes.utf8Slice(from, to)}"`);
  }
}

function unescapeLabel(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\\"n])/g, (_, code: string) => (code === 'n' ? '\n' : code)) : text;
}
function unescapeHelp(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\\n])/g, (_, code: string) => (code === 'n' ? '\n' : code)) : text;
}
