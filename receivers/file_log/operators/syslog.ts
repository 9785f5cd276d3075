/** The syslog_parser operator. Time and severity of the message become those of the entry. */
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { Field } from '#receivers/file_log/field.ts';
import type { Value, ValueMap } from '#receivers/file_log/value.ts';
import { TimeReader } from '#src/helper/time/reader.ts';
import { loadZone } from '#src/helper/time/zone.ts';
import type { OperatorContext } from './base.ts';
import { Parser, parserKeys } from './parser.ts';
import { parse3164, parse5424, type SyslogMessage } from './syslog_text.ts';

export const syslogKeys = {
  ...parserKeys,
  protocol: z.string().default(''),
  location: z.string().default('UTC'),
  enable_octet_counting: z.boolean().default(false),
  allow_skip_pri_header: z.boolean().default(false),
  non_transparent_framing_trailer: z.enum(['LF', 'NUL']).optional(),
  max_octets: z.number().int().positive().default(8192),
};

const SEVERITIES = [21, 19, 18, 17, 13, 10, 9, 5];
const SEVERITY_TEXTS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'security',
  'console',
  'solaris-cron',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
];
const DEFAULT_TIMESTAMP = { parse_from: new Field('attributes', ['timestamp']), layout: '', layout_type: 'native' as const, location: '' };

export class SyslogParser extends Parser {
  readonly #is5424: boolean;
  readonly #times: TimeReader;
  readonly #counting: boolean;
  readonly #maxOctets: number;
  readonly #trailer: string;
  readonly #allowSkip: boolean;

  constructor(config: z.output<z.ZodObject<typeof syslogKeys>>, context: OperatorContext) {
    super({ ...config, timestamp: config.timestamp ?? DEFAULT_TIMESTAMP }, context);
    const protocol = config.protocol.toLowerCase();
    if (protocol === '') throw new Error("missing field 'protocol'");
    if (protocol !== 'rfc3164' && protocol !== 'rfc5424') throw new Error(`unsupported protocol version: ${protocol}`);
    this.#is5424 = protocol === 'rfc5424';
    if (!this.#is5424 && (config.enable_octet_counting || config.non_transparent_framing_trailer !== undefined)) {
      throw new Error('octet_counting and non_transparent_framing are only compatible with protocol rfc5424');
    }
    if (config.enable_octet_counting && config.non_transparent_framing_trailer !== undefined)
      throw new Error('only one of octet_counting or non_transparent_framing can be enabled');
    this.#counting = config.enable_octet_counting;
    this.#maxOctets = config.max_octets;
    this.#trailer = config.non_transparent_framing_trailer === 'NUL' ? '\0' : config.non_transparent_framing_trailer === 'LF' ? '\n' : '';
    this.#allowSkip = config.allow_skip_pri_header;
    const nowMs = (): number => context.nowMs();
    this.#times = TimeReader.ofGo(this.#is5424 ? '2006-01-02T15:04:05Z07:00' : 'Jan _2 15:04:05', { zone: loadZone(config.location), nowMs });
  }

  #lacksPriority(text: Value | undefined): boolean {
    return this.#allowSkip && !this.#counting && typeof text === 'string' && text.length > 1 && text[0] !== '<';
  }

  parse(text: string): ValueMap {
    const bare = this.#lacksPriority(text);
    return toMap(this.#message(bare ? `<0>${text}` : text), bare);
  }

  #message(text: string): SyslogMessage {
    if (!this.#is5424) return parse3164(text, this.#times);
    if (this.#trailer !== '') return parse5424(text.endsWith(this.#trailer) ? text.slice(0, -1) : text, this.#times);
    if (!this.#counting) return parse5424(text, this.#times);
    const count = /^([1-9]\d*) /.exec(text);
    if (count === null) throw new Error('expecting a message length');
    const size = Number(count[1]),
      bytes = Buffer.from(text.slice(count[0].length));
    if (size > this.#maxOctets) throw new Error(`message too long to parse. was size ${size}, max length ${this.#maxOctets}`);
    if (bytes.length < size) throw new Error(`found ${bytes.length} bytes after the message length, wanted ${size}`);
    return parse5424(bytes.toString('utf8', 0, size), this.#times);
  }

  override handle(entry: Entry): boolean {
    const bare = this.#lacksPriority(this.parseFrom.get(entry));
    this.parseInto(entry);
    const attributes = entry.attributes;
    if (!bare) {
      const severity = attributes.get('severity');
      if (typeof severity !== 'bigint') throw new Error('severity field does not exist');
      attributes.delete('severity');
      entry.severityNumber = SEVERITIES[Number(severity)]!;
      entry.severityText = SEVERITY_TEXTS[Number(severity)]!;
    }
    if (!attributes.delete('timestamp')) throw new Error('failed to cleanup timestamp');
    return true;
  }
}

function toMap(message: SyslogMessage, bare: boolean): ValueMap {
  const map: ValueMap = new Map();
  const set = (key: string, value: Value): void => {
    if (value !== null) map.set(key, value);
  };
  set('timestamp', message.timestamp);
  set('hostname', message.hostname);
  set('appname', message.appname);
  set('proc_id', message.procId);
  set('msg_id', message.msgId);
  set('message', message.message);
  set('structured_data', message.structuredData);
  if (message.version !== null) map.set('version', BigInt(message.version));
  if (!bare) {
    map.set('priority', BigInt(message.priority));
    map.set('severity', BigInt(message.priority & 7));
    map.set('facility', BigInt(message.priority >> 3));
    map.set('facility_text', FACILITIES[message.priority >> 3]!);
  }
  return map;
}
