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
    recreate: z.boolean().default(false).describe('A damaged file is always set aside and replaced; accepted for compatibility.'),
    compaction: z
      .strictObject({
        on_start: z.boolean().default(false).describe('Compact when a file is opened.'),
        on_rebound: z.boolean().default(false).describe('Accepted: space is always given back as soon as half of it is garbage.'),
        directory: z.string().default('').describe('Accepted: compaction needs no second place.'),
        rebound_needed_threshold_mib: z.number().int().min(0).default(100).describe('Accepted, see on_rebound.'),
        rebound_trigger_threshold_mib: z.number().int().min(0).default(10).describe('Accepted, see on_rebound.'),
        max_transaction_size: z.number().int().min(0).default(65536).describe('Accepted: compaction goes file by file.'),
        check_interval: duration().prefault('5s').describe('Accepted, see on_rebound.'),
        cleanup_on_start: z.boolean().default(false).describe('Accepted: nothing temporary is left behind.'),
      })
      .prefault({})
      .describe('Giving space back.'),
  })
  .check((context) => {
    const { directory, create_directory } = context.value;
    if (!create_directory && !existsSync(directory))
      context.issues.push({
        code: 'custom',
        input: directory,
        path: ['directory'],
        message: `"${directory}" does not exist; make it or set create_directory: true`,
      });
  });
