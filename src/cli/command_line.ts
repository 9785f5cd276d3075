/** The command line: which command runs with what. Each command is a file of its own, loaded when it is asked for. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Catalog } from '#src/core/catalog.ts';
import { ConfigError, errorText } from '#src/core/errors.ts';
import { setFeatureGates } from '#src/core/feature_gates.ts';
import type { OttlOptions } from './ottl.ts';

/** Options that every command with a configuration has. */
export interface ConfigOptions {
  readonly config: readonly string[];
  readonly set: readonly string[];
  readonly featureGates?: string;
}

export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs the command that `argv` names. Faults end the process with code 1 and their text on stderr. */
export async function runCommandLine(argv: readonly string[], catalog: Catalog): Promise<void> {
  const program = new Command('penstock')
    .description('Collects, changes, stores and forwards telemetry. Takes OpenTelemetry Collector configurations.')
    .version(`penstock version ${programVersion()}`, '-v, --version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError();
  withConfig(program.command('run', { isDefault: true }).description('run the configuration (the default)')).action((options: ConfigOptions) =>
    guarded(options, async () => (await import('./run.ts')).run(options, catalog)),
  );
  withConfig(program.command('validate').description('check a configuration without running it')).action((options: ConfigOptions) =>
    guarded(options, async () => (await import('./validate.ts')).validate(options, catalog)),
  );
  withConfig(
    program.command('print-config').alias('print-initial-config').description('print the configuration with everything merged, replaced and filled in'),
  )
    .addOption(new Option('--format <format>', 'form of the output').choices(['yaml', 'json']).default('yaml'))
    .addOption(new Option('--mode <mode>', 'whether secrets are shown').choices(['redacted', 'unredacted']).default('redacted'))
    .addOption(new Option('--validate <yes>', 'check what the service refers to, too').choices(['true', 'false']).default('true'))
    .action((options: ConfigOptions & { format: 'yaml' | 'json'; mode: 'redacted' | 'unredacted'; validate: string }) =>
      guarded(options, async () => (await import('./print_config.ts')).printConfig(options, catalog)),
    );
  program
    .command('components')
    .description('list what is built in')
    .action(async () => (await import('./components.ts')).printComponents(catalog, programVersion()));
  const ottl = program.command('ottl').description('try the transformation language');
  ottl
    .command('run')
    .description('run statements on an OTLP JSON file and show what they change')
    .requiredOption('--statements <file>', 'statements, one a line')
    .requiredOption('--input <file>', 'OTLP JSON')
    .option('--context <name>', 'what the statements run on; else told by their paths')
    .addOption(new Option('--signal <signal>', 'what the input is; else told by its fields').choices(['traces', 'metrics', 'logs']))
    .action((options: OttlOptions & ConfigOptions) => guarded(options, async () => (await import('./ottl.ts')).runOttl(options, catalog)));
  ottl
    .command('functions')
    .description('list the functions that statements may call')
    .argument('[word]', 'only those with this word in name or summary')
    .action((word: string | undefined, options: ConfigOptions) => guarded(options, async () => (await import('./ottl.ts')).listFunctions(word, catalog)));
  await program.parseAsync(argv as string[]);
}

function withConfig(command: Command): Command {
  const collect = (value: string, before: readonly string[]): string[] => [...before, value];
  return command
    .option('--config <uri>', 'a file, or env:NAME, yaml:TEXT, http(s)://...; give it again to merge several', collect, [])
    .option('--set <key=value>', 'one setting, for example processors.batch.timeout=2s; wins over files', collect, [])
    .option('--feature-gates <ids>', 'ids with commas between; "-" before one turns it off');
}

async function guarded(options: ConfigOptions, work: () => Promise<void>): Promise<void> {
  const unknown = options.featureGates === undefined ? [] : setFeatureGates(options.featureGates);
  if (unknown.length > 0) return fail(`--feature-gates: no such gate: ${unknown.join(', ')}`);
  try {
    await work();
  } catch (error) {
    fail(error instanceof ConfigError ? describeFaults(error) : errorText(error));
  }
}

function describeFaults(error: ConfigError): string {
  const count = error.issues.length;
  return count === 1 ? `invalid configuration: ${error.message}` : `invalid configuration, ${count} faults:\n${error.message}`;
}

function fail(text: string): void {
  process.stderr.write(`Error: ${text}\n`);
  process.exitCode = 1;
}
