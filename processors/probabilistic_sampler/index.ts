/** Keeps a share of spans or log records, the same for all that belong to a trace. */
import { defineProcessor } from '#src/core/component.ts';
import { DROP, KEEP, RECORD_LEVEL } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { configSchema } from './config.ts';
import { LogItem, SpanItem } from './item.ts';
import { makeSampler } from './sampler.ts';

export default defineProcessor({
  type: 'probabilistic_sampler',
  stability: { traces: 'beta', logs: 'alpha' },
  configSchema,
  createRewriter({ config, signal }) {
    const keeps = makeSampler(config, signal === 'traces' ? new SpanItem(config) : new LogItem(config));
    return new BytesRewriter(signal, [{ level: RECORD_LEVEL, reads: 0, writes: 0, dropsEmpty: true, visit: () => (keeps() ? KEEP : DROP) }]);
  },
});
