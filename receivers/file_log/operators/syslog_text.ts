/** Syslog messages of RFC 5424 and RFC 3164, as strict as the Collector's parser. */
import { Instant, type Value, type ValueMap } from '#receivers/file_log/value.ts';
import type { TimeReader } from '#src/helper/time/reader.ts';

export interface SyslogMessage {
  priority: number;
  version: number | null;
  timestamp: Instant | null;
  hostname: string | null;
  appname: string | null;
  procId: string | null;
  msgId: string | null;
  structuredData: ValueMap | null;
  message: string | null;
}

const HEADER_5424 =
  /^<(0|1(?:9[01]?|[0-8]\d?)?|[2-9]\d?)>([1-9]\d{0,2}) (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /;

function instantOf(text: string, times: TimeReader, hasYear: boolean): Instant {
  times.read(text);
  return new Instant(times.seconds, times.nanos, times.zone, hasYear);
}
const orNull = (text: string): string | null => (text === '-' ? null : text);

export function parse5424(text: string, times: TimeReader): SyslogMessage {
  const header = HEADER_5424.exec(text);
  if (header === null) throw new Error('expecting an RFC 5424 header: <priority>version timestamp hostname appname procid msgid');
  const structured = readStructuredData(text, header[0].length);
  let at = structured.end,
    message: string | null = null;
  if (at < text.length) {
    if (text[at] !== ' ') throw new Error(`expecting a space before the message at position ${at}`);
    message = text.slice(++at);
    if (message.startsWith('\ufeff')) message = message.slice(1);
    if (message === '') message = null;
  }
  return {
    priority: Number(header[1]),
    version: Number(header[2]),
    timestamp: header[3] === '-' ? null : instantOf(header[3]!, times, true),
    hostname: orNull(header[4]!),
    appname: orNull(header[5]!),
    procId: orNull(header[6]!),
    msgId: orNull(header[7]!),
    structuredData: structured.data,
    message,
  };
}

function readStructuredData(text: string, start: number): { data: ValueMap | null; end: number } {
  if (text[start] === '-') return { data: null, end: start + 1 };
  if (text[start] !== '[') throw new Error(`expecting structured data at position ${start}`);
  const data: ValueMap = new Map();
  let at = start;
  while (text[at] === '[') {
    const id = /^\[([!#-<>-\\^-~]{1,32})/.exec(text.slice(at, at + 34));
    if (id === null) throw new Error(`expecting a structured data element id at position ${at}`);
    if (data.has(id[1]!)) throw new Error(`duplicate structured data element id ${id[1]}`);
    at += id[0].length;
    const params: ValueMap = new Map();
    while (text[at] === ' ') {
      const name = /^ ([!#-<>-\\^-~]{1,32})="/.exec(text.slice(at, at + 36));
      if (name === null) throw new Error(`expecting a structured data parameter at position ${at}`);
      at += name[0].length;
      let value: Value = '';
      for (; text[at] !== '"'; at++) {
        let c = text[at];
        if (c === '\\') {
          c = text[++at];
          if (c !== '"' && c !== ']' && c !== '\\') throw new Error(`expecting an escaped character at position ${at}`);
        } else if (c === undefined || c === ']') throw new Error(`expecting the end of a parameter value at position ${at}`);
        value += c;
      }
      at++;
      params.set(name[1]!, value);
    }
    if (text[at] !== ']') throw new Error(`expecting a structured data element to end at position ${at}`);
    at++;
    data.set(id[1]!, params);
  }
  return { data, end: at };
}

const HEADER_3164 =
  /^<(0|1(?:9[01]?|[0-8]\d?)?|[2-9]\d?)> *((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?: [1-9]|0[1-9]|[12]\d|3[01]) (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d) +/;

export function parse3164(text: string, times: TimeReader): SyslogMessage {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text,
    header = HEADER_3164.exec(line);
  if (header === null) throw new Error('expecting an RFC 3164 header: <priority>Mmm dd hh:mm:ss');
  if (header[0].length === line.length) throw new Error('expecting a message');
  const parts = readParts3164(line, header[0].length);
  return { priority: Number(header[1]), version: null, timestamp: instantOf(header[2]!, times, false), msgId: null, structuredData: null, ...parts };
}

const MAX_HOSTNAME = 255,
  MAX_TAG = 48;
const NONE = 0,
  IN_TAG = 1,
  PROC_BEGINS = 2,
  IN_PROC = 3,
  PROC_ENDED = 4,
  COLON = 5,
  SPACE = 6;

/**
 * What follows the time: "hostname tag[proc]: message", of which all but the message may be missing. All readings are followed at once, and what one of them
 * has found stays found though it ends in nothing: "h:" is the tag "h" and the message "h:". They share one mark, where the part at hand begins. The
 * parser of the Collector works like this, and oddly written messages come out of it as they do here.
 */
function readParts3164(text: string, from: number): Pick<SyslogMessage, 'hostname' | 'appname' | 'procId' | 'message'> {
  let hostname: string | null = null,
    appname: string | null = null,
    procId: string | null = null,
    mark = from,
    isHost = true,
    behindHost = false,
    tag = IN_TAG,
    tagSize = 0;
  for (let at = from; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c < 32 && c !== 9) throw new Error(`expecting visible characters only [col ${at}]`);
    const isGraph = c > 32 && c < 127;
    if (behindHost && c !== 32) {
      behindHost = false;
      mark = at;
      tag = IN_TAG;
      tagSize = 0;
    }
    // The tag, its process id, the message behind them.
    if (tag === IN_TAG) {
      if (isGraph && c !== 58 && c !== 91) {
        if (++tagSize > MAX_TAG) tag = NONE;
      } else if (tagSize > 0 && (c === 58 || c === 91)) {
        appname = text.slice(mark, at);
        tag = c === 58 ? COLON : PROC_BEGINS;
      } else tag = NONE;
    } else if (tag === PROC_BEGINS || tag === IN_PROC) {
      if (c === 93) {
        if (tag === IN_PROC) procId = text.slice(mark, at);
        tag = PROC_ENDED;
      } else if (c === 91) tag = NONE;
      else {
        if (tag === PROC_BEGINS) mark = at;
        tag = IN_PROC;
      }
    } else if (tag === PROC_ENDED) tag = c === 58 ? COLON : NONE;
    else if (tag === COLON) tag = c === 32 ? SPACE : NONE;
    else if (tag === SPACE) {
      mark = at;
      tag = NONE;
    }
    if (!isHost) continue;
    if (c === 32 && at > from) {
      hostname = text.slice(mark, at);
      behindHost = true;
      isHost = false;
    } else isHost = isGraph && c !== 58 && at - from < MAX_HOSTNAME;
  }
  return { hostname, appname, procId, message: text.slice(mark) };
}
