/** Collects small requests into larger ones by concatenating their bytes: no record is decoded unless a batch has to be cut. */
import type { Batch, BatchContext } from '#src/core/batch.ts';
import { defineProcessor } from '#src/core/component.ts';
import { PermanentError } from '#src/core/errors.ts';
import { configSchema } from './config.ts';
import { Lane, type Trigger } from './lane.ts';

const SIZE_BOUNDS = [10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000];

export default defineProcessor({
  type: 'batch',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  create({ id, config, next, telemetry, clock }) {
    const settings = { timeoutMs: config.timeout, sendSize: config.send_batch_size, maxSize: config.send_batch_max_size };
    const keys = config.metadata_keys.map((key) => key.toLowerCase()),
      lanes = new Map<string, Lane>(),
      attributes = { processor: id };
    const sent: Readonly<Record<Trigger, ReturnType<typeof telemetry.counter>>> = {
      size: telemetry.counter('processor_batch_batch_size_trigger_send', '{times}', 'Number of times the batch was sent due to a size trigger'),
      timeout: telemetry.counter('processor_batch_timeout_trigger_send', '{times}', 'Number of times the batch was sent due to a timeout trigger'),
    };
    const sizes = telemetry.histogram('processor_batch_batch_send_size', '{units}', SIZE_BOUNDS, 'Number of units in the batch');
    const takeDown = telemetry.gauge(
      'processor_batch_metadata_cardinality',
      '{combinations}',
      () => lanes.size,
      attributes,
      'Number of distinct metadata value combinations being processed',
    );
    const onSend = (trigger: Trigger, batch: Batch): void => {
      sent[trigger].add(1, attributes);
      sizes.record(batch.itemCount, attributes);
    };

    // A tenant's data is never mixed with another's, whatever metadata_keys says.
    const laneOf = (batch: Batch): Lane => {
      const { tenant, metadata } = batch.context,
        values = keys.map((key) => metadata?.get(key) ?? []);
      const name = keys.length === 0 ? (tenant ?? '') : JSON.stringify([tenant ?? '', values]);
      let lane = lanes.get(name);
      if (!lane) {
        if (keys.length > 0 && config.metadata_cardinality_limit > 0 && lanes.size >= config.metadata_cardinality_limit)
          throw new PermanentError('too many batcher metadata-value combinations; raise metadata_cardinality_limit or name fewer metadata_keys');
        const context: BatchContext = {
          ...(tenant !== undefined && { tenant }),
          ...(keys.length > 0 && { metadata: new Map(keys.map((key, i) => [key, values[i]!])) }),
        };
        lane = new Lane(settings, context, next, clock, telemetry.log, onSend);
        lanes.set(name, lane);
      }
      return lane;
    };

    return {
      async consume(batch) {
        if (batch.itemCount > 0) await laneOf(batch).add(batch);
      },
      async shutdown() {
        await Promise.all([...lanes.values()].map((lane) => lane.close()));
        takeDown();
      },
    };
  },
});
