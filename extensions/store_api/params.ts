/** Parameters of a request, from the URL and from a form in the body, read as Prometheus reads them; and the errors they give. */
import type { HttpRequest } from '#src/net/http_server.ts';
import { parseDuration } from '#src/promql/format/duration.ts';
import { quoteGo } from '#src/core/go_quote.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import { parseSelector } from '#src/promql/syntax/parser.ts';
import type { Matcher } from '#src/core/series.ts';

export type ErrorType = 'bad_data' | 'execution' | 'canceled' | 'timeout' | 'internal' | 'unavailable' | 'not_found';
const STATUS: Readonly<Record<ErrorType, number>> = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  unavailable: 503,
  not_found: 404,
};

/** What the API answers with as {"status":"error"}. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: ErrorType;
  constructor(type: ErrorType, message: string) {
    super(message);
    this.type = type;
  }
  get status(): number {
    return STATUS[this.type];
  }
}
export function invalidParam(name: string, message: string): ApiError {
  return new ApiError('bad_data', `invalid parameter ${quoteGo(name)}: ${message}`);
}

/** As far as Prometheus's own limits go; here as far as a Date and the store's numbers do. */
export const MIN_TIME_MS = -(2 ** 53);
export const MAX_TIME_MS = 2 ** 53;

export class Params {
  readonly #values: URLSearchParams;
  constructor(values: URLSearchParams) {
    this.#values = values;
  }
  /** The form's values come before those of the URL. */
  static async of(request: HttpRequest): Promise<Params> {
    if (request.method !== 'POST' || request.contentType !== 'application/x-www-form-urlencoded') return new Params(request.query);
    const values = new URLSearchParams((await request.body()).toString('utf8'));
    for (const [name, value] of request.query) values.append(name, value);
    return new Params(values);
  }

  get(name: string): string {
    return this.#values.get(name) ?? '';
  }
  all(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** Milliseconds; `fallback` where it is absent. */
  time(name: string, fallback: number): number {
    const text = this.get(name);
    if (text === '') return fallback;
    const ms = parseTime(text);
    if (ms === undefined) throw invalidParam(name, `invalid time value for '${name}': cannot parse ${quoteGo(text)} to a valid timestamp`);
    return ms;
  }
  requiredTime(name: string): number {
    const ms = parseTime(this.get(name));
    if (ms === undefined) throw invalidParam(name, `cannot parse ${quoteGo(this.get(name))} to a valid timestamp`);
    return ms;
  }
  /** Milliseconds, with fractions where nanoseconds were asked for. */
  duration(name: string): number {
    const text = this.get(name);
    const seconds = parseGoFloat(text);
    if (seconds !== undefined) {
      if (Math.abs(seconds) > 9_223_372_036) throw invalidParam(name, `cannot parse ${quoteGo(text)} to a valid duration. It overflows int64`);
      return seconds * 1000;
    }
    const ms = parseDuration(text);
    if (ms === undefined) throw invalidParam(name, `cannot parse ${quoteGo(text)} to a valid duration`);
    return ms;
  }
  /** 0: no limit. */
  limit(): number {
    const text = this.get('limit');
    if (text === '') return 0;
    if (!/^[+-]?\d+$/.test(text)) throw invalidParam('limit', `strconv.Atoi: parsing ${quoteGo(text)}: invalid syntax`);
    if (BigInt.asIntN(64, BigInt(text.replace('+', ''))) !== BigInt(text.replace('+', '')))
      throw invalidParam('limit', `strconv.Atoi: parsing ${quoteGo(text)}: value out of range`);
    if (text.startsWith('-') && Number(text) !== 0) throw invalidParam('limit', 'limit must be non-negative');
    return Number(text);
  }
  /** The selectors of match[]. `wrap` makes the error. */
  matchers(wrap: (message: string) => ApiError): Matcher[][] {
    return this.all('match[]').map((text) => {
      let matchers: Matcher[];
      try {
        matchers = parseSelector(text);
      } catch (error) {
        throw wrap((error as Error).message);
      }
      if (matchers.every((matcher) => compileMatcher(matcher).matchesEmpty)) throw wrap('match[] must contain at least one non-empty matcher');
      return matchers;
    });
  }
}

/** As strconv.ParseFloat: underscores between digits, hexadecimal with an exponent of two. What overflows is no number. */
function parseGoFloat(text: string): number | undefined {
  if (/^[+-]?(?:\d+(?:_\d+)*\.?\d*(?:_\d+)*|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isFinite(value) ? value : undefined;
  }
  const hex = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/i.exec(text);
  if (hex !== null && hex[2]! + hex[3]! !== '') {
    const value = Number.parseInt(hex[2]! + hex[3]!, 16) * 2 ** (Number(hex[4]) - 4 * hex[3]!.length);
    return hex[1] === '-' ? -value : value;
  }
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}

/** Unix seconds or RFC 3339, to milliseconds. */
export function parseTime(text: string): number | undefined {
  const seconds = parseGoFloat(text);
  if (seconds !== undefined) {
    if (!Number.isFinite(seconds)) return undefined;
    const whole = Math.trunc(seconds);
    return whole * 1000 + Math.round((seconds - whole) * 1000);
  }
  const date = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.exec(text);
  if (date === null || Number(date[3]) > new Date(Date.UTC(Number(date[1]), Number(date[2]), 0)).getUTCDate()) return undefined; // Date makes 2 March of 30 February.
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
