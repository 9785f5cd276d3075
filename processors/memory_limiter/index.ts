/** Refuses data with a retryable error while memory is short, so that the sender keeps it and the process lives. Put it first in a pipeline. */
import { ITEM_NAMES } from '#src/core/batch.ts';
import { defineProcessor } from '#src/core/component.ts';
import { Limiter } from '#src/helper/memory_limiter/limiter.ts';
import { configSchema } from './config.ts';

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
        const refusal = limiter.refusal();
        if (refusal !== null) {
          refused.add(batch.itemCount, attributes);
          return Promise.reject(refusal);
        }
        accepted.add(batch.itemCount, attributes);
        return next.consume(batch);
      },
      refusal: () => limiter.refusal() ?? next.refusal?.() ?? null,
      shutdown() {
        limiter.stop();
      },
    };
  },
});
