/** Parsers of a text into a map: json, json_array, regex, csv, key_value, uri. */
import { z } from 'zod';
import type { Entry } from '#receivers/file_log/entry.ts';
import { type Field, parseField } from '#receivers/file_log/field.ts';
import { parseJson, toJson } from '#receivers/file_log/json_text.ts';
import { isMap, type Value, type ValueMap } from '#receivers/file_log/value.ts';
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import { readCsvRow } from '#src/helper/text/csv.ts';
import { splitQuoted } from '#src/helper/text/split_quoted.ts';
import type { OperatorContext } from './base.ts';
import { Parser, parserKeys } from './parser.ts';
import { parseUri } from './uri_text.ts';

export const jsonKeys = { ...parserKeys, parse_ints: z.boolean().default(false) };
export class JsonParser extends Parser {
  readonly parseInts: boolean;
  constructor(config: z.output<z.ZodObject<typeof jsonKeys>>, context: OperatorContext) {
    super(config, context);
    this.parseInts = config.parse_ints;
  }
  parse(text: string): ValueMap {
    // With integers wanted the Collector decodes one value from a stream, so a tail goes unnoticed.
    const value = parseJson(text, { parseInts: this.parseInts, allowTail: this.parseInts });
    if (value === null) return new Map();
    if (!(value instanceof Map)) throw new Error('the JSON is not an object');
    return value;
  }
}

export const jsonArrayKeys = { ...parserKeys, header: z.string().default('') };
export class JsonArrayParser extends Parser {
  readonly #header: readonly string[] | null;
  constructor(config: z.output<z.ZodObject<typeof jsonArrayKeys>>, context: OperatorContext) {
    super(config, context);
    this.#header = config.header === '' ? null : config.header.split(',');
  }
  parse(text: string): ValueMap | Value[] {
    const parsed = parseJson(text, { parseInts: true });
    const row: Value[] = Array.isArray(parsed) ? parsed.map(columnOf) : [];
    if (this.#header === null) return row;
    if (row.length !== this.#header.length) throw new Error(`wrong number of fields: expected ${this.#header.length}, found ${row.length}`);
    return new Map(this.#header.map((name, i): [string, Value] => [name, row[i]!]));
  }
}
/** The Collector reads every number of a row as an integer and one that is none as 0; an object stays JSON, a list in a row is refused. */
function columnOf(value: Value): Value {
  if (Array.isArray(value)) throw new Error('failed to parse entry: a list within the row');
  if (isMap(value)) return toJson(value);
  return typeof value === 'number' ? 0n : value;
}

export const regexKeys = { ...parserKeys, regex: z.string().default(''), cache: z.object({ size: z.number().int().min(0).default(0) }).optional() };
export class RegexParser extends Parser {
  readonly regexp: Pattern;
  /** Those with a name. */
  readonly groups: readonly (readonly [index: number, name: string])[];
  constructor(config: z.output<z.ZodObject<typeof regexKeys>>, context: OperatorContext) {
    super(config, context);
    if (config.regex === '') throw new Error("missing required field 'regex'");
    try {
      this.regexp = compilePattern(config.regex);
    } catch (error) {
      throw new Error(`compiling regex: ${(error as Error).message}`);
    }
    this.groups = this.regexp.groupNames.map((name, i) => [i + 1, name] as const).filter(([, name]) => name !== '');
    if (this.groups.length === 0) throw new Error('no named capture groups in regex pattern');
  }
  parse(text: string): ValueMap {
    const match = this.regexp.groups(text);
    if (match === null) throw new Error('regex pattern does not match');
    const map: ValueMap = new Map();
    for (const [index, name] of this.groups) map.set(name, match[index] ?? '');
    return map;
  }
}

export const csvKeys = {
  ...parserKeys,
  header: z.string().default(''),
  header_delimiter: z.string().default(''),
  header_attribute: z.string().default(''),
  delimiter: z.string().default(','),
  lazy_quotes: z.boolean().default(false),
  ignore_quotes: z.boolean().default(false),
};
export class CsvParser extends Parser {
  readonly #header: readonly string[] | null;
  readonly #headerField: Field | null;
  readonly #delimiter: string;
  readonly #headerDelimiter: string;
  readonly #lazy: boolean;
  readonly #ignoreQuotes: boolean;

  constructor(config: z.output<z.ZodObject<typeof csvKeys>>, context: OperatorContext) {
    super(config, context);
    if (config.header === '' && config.header_attribute === '') throw new Error("missing required field 'header' or 'header_attribute'");
    if (config.header !== '' && config.header_attribute !== '') throw new Error("only one header parameter can be set: 'header' or 'header_attribute'");
    this.#delimiter = config.delimiter === '' ? ',' : config.delimiter;
    this.#headerDelimiter = config.header_delimiter === '' ? this.#delimiter : config.header_delimiter;
    if (Array.from(this.#delimiter).length !== 1) throw new Error(`invalid 'delimiter': '${this.#delimiter}'`);
    if (Array.from(this.#headerDelimiter).length !== 1) throw new Error(`invalid 'header_delimiter': '${this.#headerDelimiter}'`);
    if (config.lazy_quotes && config.ignore_quotes) throw new Error("only one of 'ignore_quotes' or 'lazy_quotes' can be true");
    if (config.header !== '' && !config.header.includes(this.#headerDelimiter)) throw new Error(`missing field delimiter in header: '${config.header}'`);
    this.#header = config.header === '' ? null : config.header.split(this.#headerDelimiter);
    this.#headerField = config.header_attribute === '' ? null : parseField(`attributes[${JSON.stringify(config.header_attribute)}]`);
    this.#lazy = config.lazy_quotes;
    this.#ignoreQuotes = config.ignore_quotes;
  }

  /** An entry that does not name its columns is lost, whatever on_error says. */
  override process(entry: Entry): void {
    if (this.#headerField !== null && typeof this.#headerField.get(entry) !== 'string') {
      this.context.failed(this.id, new Error(`failed to read the dynamic header attribute ${this.#headerField}`), false);
      return;
    }
    super.process(entry);
  }

  parse(text: string, entry: Entry): ValueMap {
    const header = this.#header ?? (this.#headerField!.get(entry) as string).split(this.#headerDelimiter);
    const row = this.#ignoreQuotes ? text.split(this.#delimiter) : readCsvRow(text, this.#delimiter, this.#lazy);
    if (row.length !== header.length) throw new Error(`wrong number of fields: expected ${header.length}, found ${row.length}`);
    return new Map(header.map((name, i): [string, Value] => [name, row[i]!]));
  }
}

export const keyValueKeys = { ...parserKeys, delimiter: z.string().default('='), pair_delimiter: z.string().default('') };
export class KeyValueParser extends Parser {
  readonly #delimiter: string;
  readonly #pairDelimiter: string;
  constructor(config: z.output<z.ZodObject<typeof keyValueKeys>>, context: OperatorContext) {
    super(config, context);
    this.#pairDelimiter = config.pair_delimiter === '' ? ' ' : config.pair_delimiter;
    this.#delimiter = config.delimiter;
    if (this.#delimiter === '') throw new Error('delimiter is a required parameter');
    if (this.#delimiter === this.#pairDelimiter) throw new Error('delimiter and pair_delimiter cannot be the same value');
  }
  parse(text: string): ValueMap {
    if (text === '') throw new Error('parse from field is empty');
    const map: ValueMap = new Map(),
      faults: string[] = [];
    const pairs = splitQuoted(text, this.#pairDelimiter);
    if (pairs === null) throw new Error('never reached the end of a quoted value');
    for (const pair of pairs) {
      const at = pair.indexOf(this.#delimiter);
      if (at < 0) faults.push(`cannot split ${JSON.stringify(pair)} into 2 items, got 1 item(s)`);
      else map.set(pair.slice(0, at).trim(), pair.slice(at + this.#delimiter.length).trim());
    }
    if (faults.length > 0) throw new Error(faults.join('; '));
    return map;
  }
}

export class UriParser extends Parser {
  parse(text: string): ValueMap {
    return parseUri(text);
  }
}
