/** Methods and paths to handlers. */
import { HttpError, type HttpHandler } from './http_request.ts';

type Route = { readonly methods: ReadonlySet<string>; readonly pattern: readonly string[]; readonly handler: HttpHandler };

/** Methods and paths to handlers. A segment ":name" takes one segment, "*name" at the end the rest; exact paths win. Unknown paths are 404, wrong methods 405. */
export class Router {
  readonly #exact = new Map<string, Route[]>();
  readonly #patterns: Route[] = [];

  /** `methods`: "GET" or "GET,POST"; HEAD comes with GET. */
  on(methods: string, path: string, handler: HttpHandler): this {
    const set = new Set(methods.split(','));
    if (set.has('GET')) set.add('HEAD');
    const route: Route = { methods: set, pattern: path.split('/'), handler };
    if (/[:*]/.test(path)) this.#patterns.push(route);
    else this.#exact.set(path, [...(this.#exact.get(path) ?? []), route]);
    return this;
  }

  readonly handle: HttpHandler = (request) => {
    const allowed = new Set<string>();
    for (const route of this.#exact.get(request.path) ?? []) {
      if (route.methods.has(request.method)) return route.handler(request);
      for (const method of route.methods) allowed.add(method);
    }
    if (allowed.size === 0) {
      const segments = request.path.split('/');
      for (const route of this.#patterns) {
        const params = match(route.pattern, segments);
        if (params === null) continue;
        if (route.methods.has(request.method)) {
          request.params = params;
          return route.handler(request);
        }
        for (const method of route.methods) allowed.add(method);
      }
    }
    if (allowed.size === 0) throw new HttpError(404, '404 page not found');
    throw new HttpError(405, 'Method Not Allowed', { headers: { Allow: [...allowed].sort().join(', ') } });
  };
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i]!;
    if (wanted.startsWith('*')) {
      params[wanted.slice(1)] = decode(segments.slice(i).join('/'));
      return params;
    }
    const given = segments[i];
    if (given === undefined) return null;
    if (wanted.startsWith(':')) params[wanted.slice(1)] = decode(given);
    else if (wanted !== given) return null;
  }
  return segments.length === pattern.length ? params : null;
}
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(400, `malformed path segment "${text}"`);
  }
}
