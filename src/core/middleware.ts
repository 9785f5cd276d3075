/**
 * Extensions that stand before the requests of a server: `middlewares: [{id: memory_limiter}]`. What the Collector's may do to a request is anything; here
 * they may refuse it, before its body is read, which is what the one it comes with does.
 */
import type { Host } from './component.ts';
import { ConfigError, type RetryableError } from './errors.ts';

export interface ServerMiddleware {
  /** Why no request may come in just now, or null. Asked for each request. */
  requestRefusal(): RetryableError | null;
}

/** The extensions that `middlewares` names, in their order. Throws ConfigError where one does not run or is none. */
export function serverMiddlewares(names: readonly { readonly id: string }[], host: Pick<Host, 'extension'> | undefined): ServerMiddleware[] {
  return names.map(({ id }, i) => {
    const found = host?.extension(id) as Partial<ServerMiddleware> | undefined;
    const fault = found === undefined ? 'is not running; define it under extensions and name it in service::extensions' : 'is no middleware for servers';
    if (typeof found?.requestRefusal !== 'function') throw new ConfigError([{ path: ['middlewares', i, 'id'], message: `"${id}" ${fault}` }]);
    return found as ServerMiddleware;
  });
}
