/** Options of file_storage, with the Collector's names. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';

export const configSchema = z
  .strictObject({
    directory: z.string().min(1).default('/var/lib/otelcol/file_storage').describe('Where the files are.'),
    timeout: duration().prefault('1s').describe('How long to wait for another process to leave a file.'),
    create_directory: z.boolean().default(false).describe('Make the directory where it is missing.'),
    directory_permissions: z
      .string()
      .regex(/^0?[0-7]{3}$/, { error: 'must be three octal digits, for example 0750' })
      .default('0750')
      .describe('Permissions of a directory that is made.'),
    fsync: z.boolean().default(true).describe('Wait until the disk has it; changes that come together share the wait. The Collector defaults to false.'),
    recreate: z.boolean().default(false).describe('Damaged files are set aside and replaced in any case.'),
    compaction: z
      .strictObject({
        on_start: z.boolean().default(false).describe('Compact when a component opens its files.'),
        on_rebound: z.boolean().default(false).describe('Compact, too, when much was in use and little is left.'),
        directory: z.string().default('').describe('Where a compaction writes before the new file takes its place; beside the files where absent.'),
        rebound_needed_threshold_mib: z.number().int().min(0).default(100).describe('With on_rebound: so much the files have to take.'),
        rebound_trigger_threshold_mib: z.number().int().min(0).default(10).describe('With on_rebound: so little of it has to be left.'),
        max_transaction_size: z
          .number()
          .int()
          .min(0, { error: 'max transaction size for compaction cannot be less than 0' })
          .default(65536)
          .describe('Values that a compaction moves in one go, up to 4 MB of them; 0: as many as that.'),
        check_interval: duration().prefault('5s').describe('With on_rebound: how often that is looked at.'),
        cleanup_on_start: z.boolean().default(false).describe('Remove what compactions that were cut off have left in `compaction::directory`.'),
      })
      .prefault({})
      .describe('Giving space back.'),
  })
  .check((context) => {
    const { directory, create_directory, compaction } = context.value;
    const wrong = (path: string[], message: string): void => void context.issues.push({ code: 'custom', input: context.value, path, message });
    const check = (folder: string, ...path: string[]): void => {
      if (!create_directory && !existsSync(folder)) wrong(path, `"${folder}" does not exist; make it or set create_directory: true`);
    };
    check(directory, 'directory');
    if (compaction.directory !== '' && (compaction.on_start || compaction.on_rebound)) check(compaction.directory, 'compaction', 'directory');
    if (compaction.on_rebound && compaction.check_interval <= 0)
      wrong(['compaction', 'check_interval'], 'compaction check interval must be positive when rebound compaction is set');
  });
