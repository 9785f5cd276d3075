/** `penstock --config F`: runs until a signal comes or a component cannot go on. */
import module from 'node:module';
import { loadConfig } from '#src/config/load.ts';
import type { Catalog } from '#src/core/catalog.ts';
import { dropWrongGuesses } from '#src/core/engine_guesses.ts';
import { errorText } from '#src/core/errors.ts';
import { collectGarbage } from '#src/core/heap.ts';
import { Service } from '#src/pipeline/service.ts';
import { startAgainFromCache } from './cached_code.ts';
import { type ConfigOptions, programVersion } from './command_line.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Settles when the program has stopped; the exit code tells whether all was drained. */
export async function run(options: ConfigOptions, catalog: Catalog): Promise<void> {
  dropWrongGuesses();
  const stop = Promise.withResolvers<{ readonly signal: string } | { readonly error: Error }>();
  const config = await loadConfig({ uris: options.config, settings: options.set }, catalog);
  startAgainFromCache();
  const version = programVersion();
  const service = new Service(config, version, (error) => stop.resolve({ error }));
  let stopping = false;
  const onSignal = (signal: string): void => {
    if (stopping) process.exit(1); // The second one means it.
    stopping = true;
    stop.resolve({ signal });
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // Its default ends the process, and who sends it means no end of it.
  process.on('SIGHUP', () =>
    service.log.warn('Reloading the configuration is not supported yet: going on with the one of the start. Restart the program to change it.'),
  );
  process.on('uncaughtException', (error) => {
    service.log.error('A defect: an error that nobody took.', { error: errorText(error), stack: error.stack });
    stop.resolve({ error });
  });
  process.on('unhandledRejection', (reason) => {
    service.log.error('A defect: a rejection that nobody took.', { error: errorText(reason), stack: reason instanceof Error ? reason.stack : undefined });
  });
  service.log.info('Starting.', { version, node: process.version, pid: process.pid });
  await service.start();
  service.log.info('Everything is ready.', { pipelines: Object.keys(config.service.pipelines).length, ms: Math.round(performance.now()) });
  module.flushCompileCache(); // Node writes it at a regular exit only.
  collectGarbage(); // What reading code and configuration left behind: some 10 MB.
  // Sockets may come and go, and a graph of nop components holds none: this keeps the process.
  const keepAlive = setInterval(() => {}, 1 << 30);
  const reason = await stop.promise;
  clearInterval(keepAlive);
  if ('signal' in reason) service.log.info('Stopping.', { signal: reason.signal });
  else service.log.error('Stopping after an error.', { error: errorText(reason.error) });
  const clean = await service.stop();
  service.log.info('Stopped.', { drained: clean });
  process.exit(clean && 'signal' in reason ? 0 : 1); // A component that left a socket or timer behind must not hold the process.
}
