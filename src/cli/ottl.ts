/**
 * `penstock ottl functions`: what statements may call. `penstock ottl run`: statements of OTTL on an OTLP JSON file, to see what they change before they run anywhere. The statements are those of
 * the transform processor, one a line; lines that are empty or begin with # are passed over.
 */
import { readFileSync } from 'node:fs';
import { Batch, SIGNALS, type Signal } from '#src/core/batch.ts';
import { type Catalog, loadDefinition } from '#src/core/catalog.ts';
import { systemClock } from '#src/core/clock.ts';
import type { CreateContext, ProcessorDefinition } from '#src/core/component.ts';
import { ConfigError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import { parseOtlpJson } from '#src/data/json_read.ts';
import { formatBatchJson } from '#src/data/json_write.ts';

export interface OttlOptions {
  readonly statements: string;
  readonly input: string;
  /** Undefined: told by the file. */
  readonly signal?: Signal;
  readonly context?: string;
}
const ROOTS: Readonly<Record<Signal, string>> = { traces: 'resourceSpans', metrics: 'resourceMetrics', logs: 'resourceLogs' };
const FIELDS: Readonly<Record<Signal, string>> = { traces: 'trace_statements', metrics: 'metric_statements', logs: 'log_statements' };

/** Prints the changed lines of the data, "-" before and "+" after, and what failed on stderr. */
export async function runOttl(options: OttlOptions, catalog: Catalog): Promise<void> {
  const json = readFileSync(options.input, 'utf8');
  const signal = options.signal ?? SIGNALS.find((known) => json.includes(`"${ROOTS[known]}"`));
  if (signal === undefined) throw new Error(`${options.input} has neither of ${Object.values(ROOTS).join(', ')}; give --signal`);
  const statements = readFileSync(options.statements, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const batch = new Batch(signal, [parseOtlpJson(signal, json)], 0);
  const after = await transform(batch, options.context === undefined ? statements : [{ context: options.context, statements }], catalog);
  const changes = diff(lines(batch), after === null ? [] : lines(after));
  process.stdout.write(changes.length === 0 ? 'Nothing changed.\n' : `${changes.join('\n')}\n`);
}

/** Prints the functions whose name or summary contains `word`, one a line. */
export async function listFunctions(word: string | undefined, catalog: Catalog): Promise<void> {
  const definition = (await loadDefinition(catalog, 'processor', 'transform')) as ProcessorDefinition;
  const all = definition.functions!().toSorted((a, b) => (a.signature < b.signature ? -1 : 1));
  const wanted = (word ?? '').toLowerCase();
  const found = all.filter(({ signature, summary }) => `${signature} ${summary}`.toLowerCase().includes(wanted));
  if (found.length === 0) throw new Error(`no function has "${word}" in its name or summary; there are ${all.length}, see \`ottl functions\``);
  const width = Math.min(44, Math.max(...found.map(({ signature }) => signature.length)));
  for (const { signature, summary, contexts } of found)
    process.stdout.write(`${signature.padEnd(width)}  ${summary}${contexts ? ` (${contexts.join(', ')})` : ''}\n`);
}

async function transform(batch: Batch, statements: unknown, catalog: Catalog): Promise<Batch | null> {
  const definition = (await loadDefinition(catalog, 'processor', 'transform')) as ProcessorDefinition;
  const parsed = definition.configSchema.safeParse({ error_mode: 'ignore', [FIELDS[batch.signal]]: statements });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(({ message }) => ({ path: [], message })));
  const print = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    process.stderr.write(`${message}: ${String(fields?.['error'] ?? '')} in ${String(fields?.['statement'] ?? '')}\n`);
  };
  const log: Log = { debug() {}, info() {}, warn: print, error: print };
  const context = { id: 'transform', config: parsed.data, signal: batch.signal, telemetry: { log }, clock: systemClock } as unknown as CreateContext<never> & {
    signal: Signal;
  };
  const rewriter = definition.createRewriter!(context);
  return rewriter === null ? batch : rewriter.rewrite(batch);
}

const lines = (batch: Batch): string[] => JSON.stringify(JSON.parse(formatBatchJson(batch)), null, 2).split('\n');

/** Lines that differ, with two lines around each; the longest common part is found where the lists are small, else both are shown from where they part. */
function diff(before: readonly string[], after: readonly string[]): string[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const gone = before.slice(start, before.length - end);
  const come = after.slice(start, after.length - end);
  if (gone.length === 0 && come.length === 0) return [];
  const middle = gone.length * come.length > MAX_CELLS ? [...gone.map((line) => `- ${line}`), ...come.map((line) => `+ ${line}`)] : common(gone, come);
  const context = (line: string): string => `  ${line}`;
  return [
    ...before.slice(Math.max(0, start - AROUND), start).map(context),
    ...middle,
    ...before.slice(before.length - end, before.length - end + AROUND).map(context),
  ];
}
const AROUND = 3;
const MAX_CELLS = 4_000_000;

function common(gone: readonly string[], come: readonly string[]): string[] {
  const width = come.length + 1;
  const best = new Uint32Array((gone.length + 1) * width);
  for (let i = gone.length - 1; i >= 0; i--)
    for (let j = come.length - 1; j >= 0; j--)
      best[i * width + j] = gone[i] === come[j] ? best[(i + 1) * width + j + 1]! + 1 : Math.max(best[(i + 1) * width + j]!, best[i * width + j + 1]!);
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < gone.length || j < come.length) {
    if (i < gone.length && j < come.length && gone[i] === come[j]) {
      out.push(`  ${gone[i++]}`);
      j++;
    } else if (j === come.length || (i < gone.length && best[(i + 1) * width + j]! >= best[i * width + j + 1]!)) out.push(`- ${gone[i++]}`);
    else out.push(`+ ${come[j++]}`);
  }
  return out;
}
