/** Syslog messages of RFC 5424 and RFC 3164, as strict as the Collector's parser. */
import type { TimeLayout } from '#receivers/file_log/time_layout.ts';
import type { Instant, Value, ValueMap } from '#receivers/file_log/value.ts';

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
  /^<(\d{1,3})>([1-9]\d{0,2}) (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /;

function priorityOf(digits: string): number {
  const priority = Number(digits);
  if (priority > 191) throw new Error(`expecting a priority value in the range 0-191, got ${digits}`);
  return priority;
}
const orNull = (text: string): string | null => (text === '-' ? null : text);

export function parse5424(text: string, times: TimeLayout): SyslogMessage {
  const header = HEADER_5424.exec(text);
  if (header === null) throw new Error('expecting an RFC 5424 header: <priority>version timestamp hostname appname procid msgid');
  const priority = priorityOf(header[1]!);
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
    priority,
    version: Number(header[2]),
    timestamp: header[3] === '-' ? null : times.parse(header[3]!),
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

const HEADER_3164 = /^<(\d{1,3})>((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?: \d|\d\d) \d\d:\d\d:\d\d) ([!-~]{1,255}) /;
const TAG_3164 = /^([^\s:[\]]{1,32})(?:\[([^\]]*)\])?: ?/;

export function parse3164(text: string, times: TimeLayout): SyslogMessage {
  const header = HEADER_3164.exec(text);
  if (header === null) throw new Error('expecting an RFC 3164 header: <priority>Mmm dd hh:mm:ss hostname');
  const priority = priorityOf(header[1]!),
    rest = text.slice(header[0].length),
    tag = TAG_3164.exec(rest);
  const message = tag === null ? rest : rest.slice(tag[0].length);
  return {
    priority,
    version: null,
    timestamp: times.parse(header[2]!),
    hostname: header[3]!,
    appname: tag === null ? null : tag[1]!,
    procId: tag?.[2] || null,
    msgId: null,
    structuredData: null,
    message: message === '' ? null : message,
  };
}
