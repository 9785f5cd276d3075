/** Shows what flows, on the console: for finding faults, not for keeping. */
import fs from 'node:fs';
import { type Batch, ITEM_NAMES, type Signal } from '#src/core/batch.ts';
import { defineExporter } from '#src/core/component.ts';
import { errorText, PermanentError } from '#src/core/errors.ts';
import { formatBatchJson } from '#src/data/json_write.ts';
import { NO_RETRY } from '#src/helper/exporter/config.ts';
import { exporterHelper } from '#src/helper/exporter/exporter.ts';
import { configSchema } from './config.ts';
import { detailedText } from './detailed.ts';
import type { ResourceGroup } from './model.ts';
import { normalText } from './normal.ts';
import { Sampler } from './sampler.ts';

const TITLES: Readonly<Record<Signal, readonly [title: string, groups: string, key: string]>> = {
  traces: ['Traces', 'resource spans', 'resourceSpans'],
  metrics: ['Metrics', 'resource metrics', 'resourceMetrics'],
  logs: ['Logs', 'resource logs', 'resourceLogs'],
};

export default defineExporter({
  type: 'debug',
  stability: { traces: 'alpha', metrics: 'alpha', logs: 'alpha' },
  configSchema,
  create(context) {
    const { config, telemetry, clock } = context,
      { verbosity } = config,
      sampler = new Sampler(config.sampling_initial, config.sampling_thereafter, clock);
    let write: (text: string, fields?: Readonly<Record<string, unknown>>) => void = (text, fields) => telemetry.log.info(text, fields);
    let files: number[] = [];

    const show = (batch: Batch): void => {
      if (!sampler.takes()) return;
      const [title, groupsName, key] = TITLES[batch.signal],
        groups = (JSON.parse(formatBatchJson(batch)) as Record<string, ResourceGroup[] | undefined>)[key] ?? [];
      const counts: Record<string, number> = {
        [groupsName]: groups.length,
        [batch.signal === 'metrics' ? 'data points' : ITEM_NAMES[batch.signal].replace('_', ' ')]: batch.itemCount,
      };
      if (batch.signal === 'metrics')
        counts.metrics = groups.reduce((sum, group) => sum + (group.scopeMetrics ?? []).reduce((n, scope) => n + (scope.metrics?.length ?? 0), 0), 0);
      write(title, counts);
      if (verbosity !== 'basic') write(verbosity === 'normal' ? normalText(batch.signal, groups) : detailedText(batch.signal, groups));
    };

    return exporterHelper({
      context,
      settings: {
        timeout: 0,
        retry_on_failure: NO_RETRY,
        sending_queue: config.sending_queue,
      },
      start() {
        if (config.use_internal_logger) return;
        files = (config.output_paths ?? ['stdout']).map((path) => (path === 'stdout' ? 1 : path === 'stderr' ? 2 : fs.openSync(path, 'a')));
        write = (text, fields) => {
          for (const file of files) fs.writeSync(file, `${new Date().toISOString()}\tinfo\t${text}${fields ? `\t${JSON.stringify(fields)}` : ''}\n`);
        };
      },
      async send(batch) {
        try {
          show(batch);
        } catch (error) {
          throw new PermanentError(`the debug output failed: ${errorText(error)}`, { cause: error });
        }
      },
      shutdown() {
        for (const file of files.splice(0)) if (file > 2) fs.closeSync(file);
      },
    });
  },
});
