/**
 * Cross-origin requests of browsers, as confighttp's `cors` describes them: origins with one or more "*", credentials allowed, and the
 * headers of preflight answers. Without allowed origins nothing is answered, as in the Collector.
 */
import type { HttpServerConfig } from './config.ts';
import type { HttpReply, HttpRequest } from './http_request.ts';

type Cors = NonNullable<HttpServerConfig['cors']>;

function isAllowed(origin: string, cors: Cors): boolean {
  const wanted = origin.toLowerCase();
  return cors.allowed_origins.some((pattern) => matches(pattern.toLowerCase(), wanted));
}
/** Glob with "*" for any characters, without a regular expression: patterns come from users, origins from anybody. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === text;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    at = text.indexOf(part, at);
    if (at < 0 || at + part.length > text.length - last.length) return false;
    at += part.length;
  }
  return true;
}

/** The headers of an actual answer. */
export function corsHeaders(origin: string, cors: Cors): [string, string][] {
  const headers: [string, string][] = [['Vary', 'Origin']];
  if (!isAllowed(origin, cors)) return headers;
  headers.push(['Access-Control-Allow-Origin', cors.allowed_origins.includes('*') ? '*' : origin], ['Access-Control-Allow-Credentials', 'true']);
  if (cors.exposed_headers.length > 0) headers.push(['Access-Control-Expose-Headers', cors.exposed_headers.join(', ')]);
  return headers;
}

/** The answer to a preflight request, or null where the request is none. */
export function answerPreflight(request: HttpRequest, cors: Cors): HttpReply | null {
  const method = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || method === undefined || cors.allowed_origins.length === 0) return null;
  const headers: Record<string, string> = { Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' };
  const refused: HttpReply = { status: 204, headers };
  if (!isAllowed(request.headers.origin!, cors) || !['GET', 'POST', 'HEAD'].includes(method)) return refused;
  const asked = (request.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter(Boolean);
  const allowed = new Set((cors.allowed_headers.length > 0 ? cors.allowed_headers : ['X-Requested-With']).map((name) => name.toLowerCase()));
  for (const name of ['accept', 'accept-language', 'content-type', 'content-language', 'origin']) allowed.add(name);
  if (!allowed.has('*') && asked.some((name) => !allowed.has(name))) return refused;
  headers['Access-Control-Allow-Origin'] = cors.allowed_origins.includes('*') ? '*' : request.headers.origin!;
  headers['Access-Control-Allow-Methods'] = method;
  if (asked.length > 0) headers['Access-Control-Allow-Headers'] = asked.join(', ');
  headers['Access-Control-Allow-Credentials'] = 'true';
  if (cors.max_age > 0) headers['Access-Control-Max-Age'] = String(cors.max_age);
  return { status: 204, headers };
}
