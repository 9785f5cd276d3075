import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '#src/core/errors.ts';
import type { ExtensionDefinition } from '#src/core/component.ts';
import { type ServerMiddleware, serverMiddlewares } from '#src/core/middleware.ts';
import { testContext, testHost } from '#src/core/testing/context.ts';
import { ManualClock } from '#src/core/testing/manual_clock.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

test('a server that names it is told to refuse requests while memory is short', async () => {
  const clock = new ManualClock();
  const context = testContext(configSchema.parse({ check_interval: '1s', limit_mib: 1 }), { clock });
  const limiter = (definition as ExtensionDefinition<typeof configSchema>).create(context);
  const host = testHost(new Map([['memory_limiter', limiter]]));
  const [middleware] = serverMiddlewares([{ id: 'memory_limiter' }], host) as [ServerMiddleware];
  assert.equal(middleware.requestRefusal(), null);
  await limiter.start?.();
  await clock.advance(1000); // This test's process is larger than a MiB.
  const refusal = middleware.requestRefusal()!;
  assert.deepEqual([refusal.reason, refusal.retryAfterMs], ['exhausted', 1000]);
  await limiter.shutdown?.();
});

test('a middleware that does not run, or is none, is a fault of the configuration', () => {
  const host = testHost(new Map([['health_check', {}]]));
  const fault = (id: string): string => {
    try {
      serverMiddlewares([{ id }], host);
    } catch (error) {
      return error instanceof ConfigError ? error.message : `not a fault of the configuration: ${String(error)}`;
    }
    return '';
  };
  assert.match(fault('memory_limiter'), /^middlewares::0::id: "memory_limiter" is not running; define it under extensions/);
  assert.match(fault('health_check'), /^middlewares::0::id: "health_check" is no middleware for servers/);
});
