/** Refuses data with a retryable error while memory is short, so that the sender keeps it and the process lives. Put it first in a pipeline. */
import { ITEM_NAMES } from '#src/core/batch.ts';
import { defineProcessor } from '#src/core/component.ts';
import { RetryableError } from '#src/core/errors.ts';
import { configSchema } from './config.ts';
import { Limiter } from './limiter.ts';

export default defineProcessor({
  type: 'memory_limiter',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  create({ id, config, signal, next, telemetry, clock }) {
    const limiter = new Limiter(config, clock, telemetry.log),
      attributes = { processor: id },
      items = ITEM_NAMES[signal];
    const accepted = telemetry.counter(
      `processor_memory_limiter_accepted_${items}`,
      `{${items}}`,
      `Number of ${items} successfully pushed into the next component in the pipeline.`,
    );
    const refused = telemetry.counter(
      `processor_memory_limiter_refused_${items}`,
      `{${items}}`,
      `Number of ${items} that were rejected by the next component in the pipeline.`,
    );
    return {
      start() {
        limiter.start();
      },
      consume(batch) {
        if (limiter.refusing) {
          refused.add(batch.itemCount, attributes);
          return Promise.reject(new RetryableError('data refused due to high memory usage', { reason: 'exhausted', retryAfterMs: config.check_interval }));
        }
        accepted.add(batch.itemCount, attributes);
        return next.consume(batch);
      },
      shutdown() {
        limiter.stop();
      },
    };
  },
});
