import { defineExtension, type Lifecycle } from '#src/core/component.ts';
import type { ServerMiddleware } from '#src/core/middleware.ts';
import { Limiter } from '#src/helper/memory_limiter/limiter.ts';
import { configSchema } from './config.ts';

/** Refuses requests while memory is short, before they are read: name it under `middlewares` of a receiver's server. */
export default defineExtension({
  type: 'memory_limiter',
  stability: 'development',
  configSchema,
  create({ config, clock, telemetry }): Lifecycle & ServerMiddleware {
    const limiter = new Limiter(config, clock, telemetry.log);
    return {
      start: () => limiter.start(),
      requestRefusal: () => limiter.refusal(),
      shutdown: () => limiter.stop(),
    };
  },
});
