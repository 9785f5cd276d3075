/**
 * Options of file_log, with the Collector's names and defaults. Operators are checked as they would be built, so that a mistake in an
 * expression, pattern or layout is found before anything starts.
 */
import { z } from 'zod';
import { duration } from '#src/config/schema.ts';
import { gateEnabled } from '#src/core/feature_gates.ts';
import { byteSize } from './byte_size.ts';
import { Chain, ConfigFaults, type OperatorPlan } from './chain.ts';
import { ExprText } from './expr/expr_text.ts';
import type { OperatorContext } from './operators/base.ts';
import { OPERATORS } from './operators/registry.ts';
import { lookUpEncoding } from './tail/decode.ts';
import { FileFinder } from './tail/glob.ts';
import { Header } from './tail/header.ts';
import { Ordering } from './tail/ordering.ts';
import { Splitter } from './tail/split.ts';

const MIN_FINGERPRINT = 16;
const DELETION_GATE = 'filelog.allowFileDeletion';
const noContext: OperatorContext = { nowMs: Date.now, failed() {} };

/** An option of the Collector that is known and refused. `harmless`: the value that asks for nothing. */
function refused(harmless: unknown) {
  return z
    .unknown()
    .optional()
    .superRefine((value, context) => {
      if (value !== undefined && value !== null && value !== harmless) context.addIssue({ code: 'custom', message: 'is not supported yet' });
    });
}

/** A list of operators; the output is what Chain takes. */
function operatorList() {
  return z
    .array(z.looseObject({ type: z.unknown().optional() }), { error: 'must be a list of operators' })
    .default([])
    .transform((list, context): OperatorPlan[] => {
      const plans: OperatorPlan[] = [];
      list.forEach((item, index) => {
        const type = item.type;
        if (typeof type !== 'string' || type === '') {
          context.addIssue({ code: 'custom', path: [index], message: "missing required field 'type'" });
          return;
        }
        if (!Object.hasOwn(OPERATORS, type)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'type'],
            message: `unsupported operator type '${type}'; use one of ${Object.keys(OPERATORS).join(', ')}`,
          });
          return;
        }
        const result = OPERATORS[type]!.schema.safeParse(item);
        if (result.success) plans.push({ type, config: result.data });
        else
          for (const issue of result.error.issues)
            context.addIssue({ code: 'custom', path: [index, ...(issue.path as (string | number)[])], message: `${type}: ${issue.message}` });
      });
      return plans;
    });
}

const exprText = () =>
  z.union([z.string(), z.number(), z.boolean()]).transform((value, context) => {
    try {
      return new ExprText(String(value));
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

const sortRule = z.strictObject({
  sort_type: z.string().default('').describe('numeric, alphabetical, timestamp or mtime.'),
  regex_key: z.string().default('').describe('Group of `regex` that holds the value.'),
  ascending: z.boolean().default(false).describe('The lowest first instead of the highest.'),
  layout: z.string().default('').describe('strptime layout of a timestamp.'),
  location: z.string().default('').describe('Time zone of a timestamp; empty is UTC.'),
});

const options = z.strictObject({
  include: z.array(z.string()).default([]).describe('Patterns of the files to read.'),
  exclude: z.array(z.string()).default([]).describe('Patterns of files that are left out.'),
  exclude_older_than: duration().prefault('0s').describe('Leave out files that were not changed for so long.'),
  start_at: z.string().default('end').describe('Where to start in files that are there at start-up: beginning or end.'),
  poll_interval: duration().prefault('200ms').describe('Time between two looks for new data.'),
  fingerprint_size: byteSize().prefault(1000).describe('First bytes that tell one file from another.'),
  initial_buffer_size: byteSize().prefault('16KiB').describe('Accepted for compatibility: blocks of 256 KiB are read.'),
  max_log_size: byteSize().prefault('1MiB').describe('Longer entries are split or cut.'),
  max_log_size_behavior: z.string().default('split').describe('split or truncate.'),
  max_concurrent_files: z.number().int().default(1024).describe('Files that are kept open at a time.'),
  max_batches: z.number().int().default(0).describe('Limits a poll to so many times half of max_concurrent_files; 0 is no limit.'),
  on_truncate: z.string().default('ignore').describe('What to do with a file that was cut and begins as before: ignore, read_whole_file or read_new.'),
  encoding: z.string().default('utf-8').describe('Encoding of the files.'),
  multiline: z
    .strictObject({
      line_start_pattern: z.string().default('').describe('Where an entry starts.'),
      line_end_pattern: z.string().default('').describe('Where an entry ends.'),
      omit_pattern: z.boolean().default(false).describe('Leave the match out of the entry.'),
    })
    .prefault({})
    .describe('Entries of several lines.'),
  force_flush_period: duration().prefault('500ms').describe('An unfinished entry at the end of a file that rests for so long is taken; 0 is never.'),
  preserve_leading_whitespaces: z.boolean().default(false).describe('Keep white space before an entry.'),
  preserve_trailing_whitespaces: z.boolean().default(false).describe('Keep white space behind an entry.'),
  include_file_name: z.boolean().default(true).describe('Attribute log.file.name.'),
  include_file_path: z.boolean().default(false).describe('Attribute log.file.path.'),
  include_file_name_resolved: z.boolean().default(false).describe('Attribute log.file.name_resolved: behind symbolic links.'),
  include_file_path_resolved: z.boolean().default(false).describe('Attribute log.file.path_resolved: behind symbolic links.'),
  include_file_owner_name: z.boolean().default(false).describe('Attribute log.file.owner.name.'),
  include_file_owner_group_name: z.boolean().default(false).describe('Attribute log.file.owner.group.name.'),
  include_file_permissions: z.boolean().default(false).describe('Attribute log.file.permissions.'),
  include_file_record_number: z.boolean().default(false).describe('Attribute log.file.record_number: counts from 1.'),
  include_file_record_offset: z.boolean().default(false).describe('Attribute log.file.record_offset: where the entry starts in the file.'),
  ordering_criteria: z
    .strictObject({
      regex: z.string().default('').describe('Finds the parts of a path to sort by.'),
      top_n: z.number().int().default(0).describe('So many files of a group are read; 0 is 1.'),
      group_by: z.string().default('').describe('Groups of files are sorted on their own.'),
      sort_by: z.array(sortRule).default([]).describe('The order.'),
    })
    .optional()
    .describe('Read only the first files of an order.'),
  header: z
    .strictObject({
      pattern: z.string().describe('Matches header lines.'),
      metadata_operators: operatorList().describe('Make attributes of them.'),
    })
    .optional()
    .describe('Lines at the start of files that describe all entries.'),
  compression: z.enum(['', 'gzip', 'auto']).default('').describe('gzip, or auto to find out for each file.'),
  retry_on_failure: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Use the intervals below. Without it a batch that may be accepted later is offered again with the default intervals, without end.'),
      initial_interval: duration().prefault('1s').describe('First pause.'),
      max_interval: duration().prefault('30s').describe('Longest pause.'),
      max_elapsed_time: duration().prefault('5m').describe('Give the batch up after so long; 0 is never.'),
    })
    .prefault({})
    .describe('When the next component is busy.'),
  storage: z
    .string()
    .nullish()
    .transform((value) => value ?? '')
    .describe('Storage extension that keeps the positions.'),
  operators: operatorList().describe('What to do with entries.'),
  attributes: z.record(z.string(), exprText()).default({}).describe('Attributes of every entry; EXPR(...) is computed.'),
  resource: z.record(z.string(), exprText()).default({}).describe('Resource attributes of every entry; EXPR(...) is computed.'),
  id: z.string().optional().describe('Accepted for compatibility.'),
  delete_after_read: z.boolean().default(false).describe('Delete a file once all of it was accepted; needs --feature-gates=filelog.allowFileDeletion.'),
  acquire_fs_lock: refused(false).describe('Refused: Node has no file locks.'),
  polls_to_archive: refused(0).describe('Refused.'),
});

export const configSchema = options.superRefine((config, context) => {
  const issue = (path: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path, message });
  const attempt = (path: (string | number)[], work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (error instanceof ConfigFaults) for (const fault of error.issues) issue([...path, ...fault.path], fault.message);
      else issue(path, (error as Error).message);
    }
  };
  if (config.include.length === 0) issue(['include'], "'include' must be specified");
  attempt(['include'], () => void new FileFinder(config.include, []));
  attempt(['exclude'], () => void new FileFinder([], config.exclude));
  if (config.start_at !== 'beginning' && config.start_at !== 'end') issue(['start_at'], `invalid start_at location '${config.start_at}'; use beginning or end`);
  if (config.max_log_size <= 0) issue(['max_log_size'], "'max_log_size' must be positive");
  if (config.max_log_size_behavior !== 'split' && config.max_log_size_behavior !== 'truncate')
    issue(['max_log_size_behavior'], "'max_log_size_behavior' must be either 'split' or 'truncate'");
  if (config.max_concurrent_files < 1) issue(['max_concurrent_files'], "'max_concurrent_files' must be positive");
  if (config.max_batches < 0) issue(['max_batches'], "'max_batches' must not be negative");
  if (config.fingerprint_size < MIN_FINGERPRINT) issue(['fingerprint_size'], `'fingerprint_size' must be at least ${MIN_FINGERPRINT} bytes`);
  if (config.poll_interval <= 0) issue(['poll_interval'], "'poll_interval' must be positive");
  if (!['ignore', 'read_whole_file', 'read_new'].includes(config.on_truncate))
    issue(['on_truncate'], "'on_truncate' must be one of: ignore, read_whole_file, read_new");
  attempt(['encoding'], () => void lookUpEncoding(config.encoding));
  attempt(['multiline'], () => void buildSplitter(config));
  if (config.ordering_criteria !== undefined) attempt(['ordering_criteria'], () => void new Ordering(config.ordering_criteria!));
  if (config.delete_after_read) {
    if (!gateEnabled(DELETION_GATE)) issue(['delete_after_read'], `'delete_after_read' requires feature gate '${DELETION_GATE}'`);
    else if (config.start_at === 'end') issue(['delete_after_read'], "'delete_after_read' cannot be used with 'start_at: end'");
  }
  if (config.header !== undefined) {
    if (config.start_at === 'end') issue(['header'], "'header' cannot be specified with 'start_at: end'");
    attempt(['header'], () => new Header(config.header!.pattern, config.header!.metadata_operators, noContext).close());
  }
  attempt(['operators'], () => new Chain(config.operators, noContext).close());
});

export type Config = z.output<typeof options>;

export function buildSplitter(config: Config): Splitter {
  let encoding: ReturnType<typeof lookUpEncoding>;
  try {
    encoding = lookUpEncoding(config.encoding);
  } catch {
    encoding = lookUpEncoding('utf-8'); // Reported where the encoding itself is checked.
  }
  return new Splitter(
    {
      startPattern: config.multiline.line_start_pattern,
      endPattern: config.multiline.line_end_pattern,
      omitPattern: config.multiline.omit_pattern,
      keepLeading: config.preserve_leading_whitespaces,
      keepTrailing: config.preserve_trailing_whitespaces,
      maxLogSize: config.max_log_size,
      truncates: config.max_log_size_behavior === 'truncate',
    },
    encoding,
  );
}
