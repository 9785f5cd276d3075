/** The options that every sending exporter shares, with the Collector's names and defaults (exporterhelper 0.155): spread them into a component's schema. */
import { z } from 'zod';
import { duration, KIND } from '#src/config/schema.ts';

const sizer = z.enum(['requests', 'items', 'bytes']);

const batch = z
  .strictObject({
    flush_timeout: duration()
      .prefault('200ms')
      .refine((ms) => ms > 0, { error: '`flush_timeout` must be positive' })
      .describe('Sends what there is after this time.'),
    min_size: z.int().nonnegative().default(8192).describe('Sends as soon as so many are collected.'),
    max_size: z.int().nonnegative().default(0).describe('Cuts larger batches; 0: never.'),
    sizer: z.enum(['items', 'bytes']).optional().describe("What the sizes count; default: the queue's sizer where that is one of them, else items."),
    partition: z
      .strictObject({
        metadata_keys: z.array(z.string().min(1)).default([]).describe('Batches requests with different values of these client metadata apart.'),
      })
      .prefault({}),
  })
  .check((context) => {
    const { min_size, max_size } = context.value;
    if (max_size > 0 && max_size < min_size)
      context.issues.push({
        code: 'custom',
        input: max_size,
        path: ['max_size'],
        message: `max_size ${max_size} must be greater than or equal to min_size ${min_size}`,
      });
  });

/** An empty section means its defaults, as in the Collector. */
const emptyIsDefault = (value: unknown): unknown => (value === null ? {} : value);

const sendingQueue = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether requests wait in a queue; without one the sender waits for the backend.'),
    num_consumers: z.int().positive().default(10).describe('Requests under way at once.'),
    queue_size: z.int().positive().default(1000).describe('Largest content, counted by `sizer`.'),
    sizer: sizer.default('requests').describe('What `queue_size` counts: requests, items or bytes.'),
    block_on_overflow: z.boolean().default(false).describe('A full queue lets the sender wait instead of refusing.'),
    wait_for_result: z.boolean().default(false).describe('The sender waits until its data was sent.'),
    storage: z.string().min(1).optional().describe('The id of a storage extension that keeps the queue on disk.'),
    batch: z.preprocess(emptyIsDefault, batch).optional().describe('Collects small requests into larger ones; `{}` turns it on.'),
  })
  .check((context) => {
    const queue = context.value;
    if (queue.storage !== undefined && queue.wait_for_result)
      context.issues.push({
        code: 'custom',
        input: true,
        path: ['wait_for_result'],
        message: '`wait_for_result` is not supported with a persistent queue configured with `storage`',
      });
    if (queue.batch && queue.sizer !== 'requests' && (queue.batch.sizer ?? queue.sizer) === queue.sizer && queue.batch.min_size > queue.queue_size)
      context.issues.push({
        code: 'custom',
        input: queue.batch.min_size,
        path: ['batch', 'min_size'],
        message: '`min_size` must be less than or equal to `queue_size`',
      });
  });

KIND.add(sendingQueue, { kind: 'switched' });

const retryOnFailure = (initial: string) =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('Whether failed requests are sent again.'),
      initial_interval: duration().prefault(initial).describe('The wait after the first failure.'),
      randomization_factor: z.number().default(0.5).describe('Each wait is changed at random by up to this share.'),
      multiplier: z.number().default(1.5).describe('Each wait is so many times the one before.'),
      max_interval: duration().prefault('30s').describe('The longest wait.'),
      max_elapsed_time: duration().prefault('5m').describe('Gives up after this time; 0: never.'),
    })
    .check((context) => {
      const retry = context.value;
      if (!retry.enabled) return;
      const wrong = (key: keyof typeof retry, message: string): void => void context.issues.push({ code: 'custom', input: retry[key], path: [key], message });
      for (const key of ['initial_interval', 'multiplier', 'max_interval', 'max_elapsed_time'] as const)
        if (retry[key] < 0) wrong(key, `'${key}' must be non-negative`);
      if (retry.randomization_factor < 0 || retry.randomization_factor > 1) wrong('randomization_factor', "'randomization_factor' must be within [0, 1]");
      const above = (['initial_interval', 'max_interval'] as const).find((key) => retry.max_elapsed_time > 0 && retry.max_elapsed_time < retry[key]);
      if (above !== undefined) wrong('max_elapsed_time', `'max_elapsed_time' must not be less than '${above}'`);
    });

/** The keys `timeout`, `retry_on_failure` and `sending_queue` for z.strictObject({ ...exporterSettings(), ... }). */
export function exporterSettings(defaults: { timeout?: string; queueEnabled?: boolean } = {}) {
  return {
    timeout: timeoutSetting(defaults.timeout),
    retry_on_failure: retrySettings(),
    sending_queue: z
      .preprocess(emptyIsDefault, sendingQueue)
      .prefault(defaults.queueEnabled === false ? { enabled: false } : {})
      .describe('The queue in front of the backend.'),
  };
}
export const timeoutSetting = (fallback = '5s') =>
  duration()
    .prefault(fallback)
    .refine((ms) => ms >= 0, { error: "'timeout' must be non-negative" })
    .describe('Limit for one attempt; 0: none.');
export const retrySettings = (initial = '5s') =>
  z.preprocess(emptyIsDefault, retryOnFailure(initial)).prefault({}).describe('What happens after a failure that may pass.');

export type QueueSettings = z.output<typeof sendingQueue>;
export type QueueBatchSettings = z.output<typeof batch>;
export type RetrySettings = z.output<ReturnType<typeof retryOnFailure>>;
/** Of exporters that have no backend to wait for. */
export const NO_RETRY: RetrySettings = {
  enabled: false,
  initial_interval: 0,
  randomization_factor: 0,
  multiplier: 1,
  max_interval: 0,
  max_elapsed_time: 0,
};
export interface ExporterSettings {
  readonly timeout: number;
  readonly retry_on_failure: RetrySettings;
  readonly sending_queue: QueueSettings;
}
