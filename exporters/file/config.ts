/** Options of the file exporter, with the Collector's names and defaults. */
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';

function refused(harmless: unknown, message = 'is not supported yet') {
  return z
    .unknown()
    .optional()
    .superRefine((value, context) => {
      if (value !== undefined && value !== null && value !== harmless) context.addIssue({ code: 'custom', message });
    });
}

export const configSchema = z
  .strictObject({
    path: z.string().min(1, { error: 'path must be non-empty' }).describe('File to write to.'),
    format: z
      .enum(['json', 'proto'])
      .default('json')
      .describe('json: one OTLP JSON message a line; proto: OTLP protobuf, each message behind its size in four bytes, big endian.'),
    compression: z.enum(['', 'none', 'zstd']).default('').describe('zstd: every message on its own, behind its size in four bytes.'),
    append: z.boolean().default(false).describe('Write behind what the file has, instead of starting it anew.'),
    flush_interval: duration().prefault('1s').describe('Longest time that data waits in memory.'),
    rotation: z
      .strictObject({
        max_megabytes: z.number().int().min(0).default(100).describe('Size at which the file is renamed and a new one begun; 0 is 100.'),
        max_days: z.number().int().min(0).default(0).describe('Delete renamed files after so many days; 0 is never.'),
        max_backups: z.number().int().min(0).default(100).describe('Keep so many renamed files; 0 is all.'),
        localtime: z.boolean().default(false).describe('Local time in the names of renamed files instead of UTC.'),
      })
      .optional()
      .describe('Begin new files by size.'),
    create_directory: z.boolean().default(false).describe('Make the directory of the file.'),
    directory_permissions: z
      .string()
      .regex(/^0?[0-7]{3}$/, { error: 'must be three octal digits, for example 0755' })
      .optional()
      .describe('Permissions of a directory that is made; 0755 where not given.'),
    group_by: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .superRefine((on, context) => {
            if (on) context.addIssue({ code: 'custom', message: 'group_by is not supported yet' });
          })
          .describe('Refused.'),
        resource_attribute: z.string().default('fileexporter.path_segment').describe('Of group_by.'),
        max_open_files: z.number().int().default(100).describe('Of group_by.'),
      })
      .optional()
      .describe('Refused when enabled.'),
    encoding: refused('').describe('Refused: an encoding extension is not supported yet.'),
  })
  .superRefine((config, context) => {
    if (config.append && config.rotation !== undefined)
      context.addIssue({ code: 'custom', path: ['append'], message: 'append and rotation enabled at the same time is not supported' });
    if (config.flush_interval < 0) context.addIssue({ code: 'custom', path: ['flush_interval'], message: 'flush_interval must be larger than zero' });
    if (config.directory_permissions !== undefined && !config.create_directory)
      context.addIssue({ code: 'custom', path: ['directory_permissions'], message: 'directory_permissions requires create_directory to be true' });
  });
export type Config = z.output<typeof configSchema>;
