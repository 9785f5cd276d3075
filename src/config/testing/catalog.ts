/** A small catalog for tests: one component of each kind, with options of every form. */
import { z } from 'zod';
import type { Catalog } from '#src/core/catalog.ts';
import { defineConnector, defineExporter, defineExtension, defineProcessor, defineReceiver } from '#src/core/component.ts';
import { anyValue, duration, secret, unsupported } from '#src/config/schema.ts';

const optionsSchema = z.strictObject({
  timeout: duration().prefault('200ms'),
  size: z.int().nonnegative().default(8192),
  ratio: z.number().default(0.5),
  name: z.string().default('none'),
  on: z.boolean().default(true),
  mode: z.enum(['fast', 'slow']).default('fast'),
  any: z.unknown().optional(),
  exact: anyValue().optional(),
  list: z.array(z.string()).default([]),
  map: z.record(z.string(), z.string()).default({}),
  headers: z.record(z.string(), secret()).optional(),
  either: z.union([z.literal('auto'), z.int()]).default('auto'),
  nested: z.strictObject({ deep: z.string().optional(), wait: duration().prefault('1s') }).optional(),
  later: unsupported('use timeout'),
});
const all = { traces: 'beta', metrics: 'beta', logs: 'beta' } as const;
const consumer = () => ({ consume: () => Promise.resolve() });

export const testCatalog: Catalog = {
  receiver: { nop: async () => ({ default: defineReceiver({ type: 'nop', stability: all, configSchema: z.strictObject({}), create: () => ({}) }) }) },
  processor: {
    options: async () => ({ default: defineProcessor({ type: 'options', stability: all, configSchema: optionsSchema, create: ({ next }) => next }) }),
  },
  exporter: {
    nop: async () => ({ default: defineExporter({ type: 'nop', stability: all, configSchema: z.strictObject({}), create: consumer }) }),
    old_nop: 'nop',
    metrics_only: async () => ({
      default: defineExporter({ type: 'metrics_only', stability: { metrics: 'beta' }, configSchema: z.strictObject({}), create: consumer }),
    }),
  },
  connector: {
    forward: async () => ({
      default: defineConnector({
        type: 'forward',
        routes: [
          ['logs', 'logs', 'beta'],
          ['traces', 'traces', 'beta'],
        ],
        configSchema: z.strictObject({}),
        create: ({ next }) => ({ consume: (batch) => next[batch.signal]!.consume(batch) }),
      }),
    }),
    count: async () => ({
      default: defineConnector({ type: 'count', routes: [['logs', 'metrics', 'beta']], configSchema: z.strictObject({}), create: consumer }),
    }),
  },
  extension: { idle: async () => ({ default: defineExtension({ type: 'idle', stability: 'beta', configSchema: z.strictObject({}), create: () => ({}) }) }) },
};

/** A whole configuration around the body of `processors: {options: ...}`, as a source for loadConfig(). */
export function optionsConfig(body: string): string {
  const indented = body.split('\n').map((line) => `    ${line}`);
  return [
    'yaml:receivers: {nop: }',
    'exporters: {nop: }',
    'processors:',
    '  options:',
    ...indented,
    'service: {pipelines: {logs: {receivers: [nop], processors: [options], exporters: [nop]}}}',
  ].join('\n');
}
