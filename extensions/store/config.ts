/** Options of the store. Names are those of Prometheus and Cortex where they have them. */
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40, PB: 2 ** 50, EB: 2 ** 60 };

/** "512MB", "1.5GB", or a number of bytes; 0 is no limit. Units are powers of 1024, as in Prometheus. */
const size = () =>
  z.union([z.string(), z.number().nonnegative()]).transform((value, context) => {
    const match = /^(\d+(?:\.\d+)?)\s*([KMGTPE]?)i?B$/i.exec(String(value));
    const bytes = typeof value === 'number' ? value : match ? Number(match[1]) * UNIT_BYTES[`${match[2]!.toUpperCase()}B`]! : value === '0' ? 0 : undefined;
    if (bytes === undefined) {
      context.addIssue({ code: 'custom', message: `"${value}" is not a size; write a number with a unit, for example 512MB or 10GB` });
      return z.NEVER;
    }
    return bytes;
  });

/** Days, weeks and years beside Go's units, as Prometheus takes them. */
const longDuration = () =>
  z.preprocess((value) => {
    const match = typeof value === 'string' ? /^(\d+)(d|w|y)$/.exec(value) : null;
    return match ? `${Number(match[1]) * { d: 24, w: 168, y: 8760 }[match[2] as 'd' | 'w' | 'y']}h` : value;
  }, duration());

const limits = {
  max_global_series_per_user: z.number().int().nonnegative().describe('Most series in the head of a tenant; 0 is no limit.'),
  max_label_names_per_series: z.number().int().positive().describe('Most labels of a series.'),
  max_label_name_length: z.number().int().positive().describe('Longest label name, bytes.'),
  max_label_value_length: z.number().int().positive().describe('Longest label value, bytes.'),
};

export const configSchema = z.strictObject({
  directory: z.string().min(1).describe('Where the data is; each tenant has a folder in it, which is a Prometheus data directory.'),
  retention_time: longDuration().prefault('15d').describe('Blocks older than this are deleted.'),
  retention_size: size().prefault(0).describe('The oldest blocks of a tenant are deleted beyond this size; 0 is no limit.'),
  wal_compression: z.enum(['none', 'snappy']).default('none').describe('Compression of records in the write-ahead log.'),
  fsync: z.boolean().default(false).describe('Whether a write is answered only when it survives a crash of the machine, not only of the process.'),
  max_exemplars: z.number().int().nonnegative().default(10_000).describe('Exemplars kept for each tenant; 0 keeps none.'),
  out_of_order_time_window: z.undefined({ error: 'out_of_order_time_window is not supported yet: samples must come in order for each series' }).optional(),
  limits: z
    .strictObject({
      max_global_series_per_user: limits.max_global_series_per_user.default(0),
      max_label_names_per_series: limits.max_label_names_per_series.default(30),
      max_label_name_length: limits.max_label_name_length.default(1024),
      max_label_value_length: limits.max_label_value_length.default(2048),
    })
    .prefault({})
    .describe('Limits of every tenant.'),
  overrides: z.record(z.string(), z.strictObject(limits).partial()).default({}).describe('Other limits for single tenants, by id.'),
});
