import { z } from 'zod';
import { exporterSettings } from '#src/helper/exporter/config.ts';

const { sending_queue } = exporterSettings({ queueEnabled: false });

export const configSchema = z
  .strictObject({
    verbosity: z
      .preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(['basic', 'normal', 'detailed']))
      .default('basic')
      .describe('basic: a line a batch; normal: a line a record; detailed: everything.'),
    sampling_initial: z.int().default(2).describe('Batches shown in each second before sampling begins.'),
    sampling_thereafter: z.int().default(1).describe('After those every Nth batch is shown; 1: all, 0: none.'),
    use_internal_logger: z.boolean().default(true).describe("Writes through Penstock's own log."),
    output_paths: z.array(z.string()).optional().describe('stdout, stderr or files, where the own log is not used; default: stdout.'),
    sending_queue: sending_queue.describe('A queue in front of the output; off by default.'),
  })
  .check((context) => {
    const { use_internal_logger, output_paths } = context.value,
      wrong = (message: string) => context.issues.push({ code: 'custom', input: output_paths, path: ['output_paths'], message });
    if (use_internal_logger && output_paths !== undefined)
      wrong('output_paths is not supported when use_internal_logger is true; set use_internal_logger: false');
    if (!use_internal_logger && output_paths?.length === 0) wrong('output_paths must not be empty when use_internal_logger is false');
  });
