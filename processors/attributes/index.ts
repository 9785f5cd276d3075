/** Changes the attributes of spans, log records and data points by a list of actions, where include and exclude allow it. */
import { defineProcessor } from '#src/core/component.ts';
import { dataPoint, INNER_LEVEL, KEEP, log, RECORD_LEVEL, RESOURCE_LEVEL, SCOPE_LEVEL, span } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { compileActions } from '#src/helper/attributes/actions.ts';
import { compileMatch } from '#src/helper/match/match.ts';
import { configSchema } from './config.ts';

export default defineProcessor({
  type: 'attributes',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  createRewriter({ id, config, signal }) {
    const apply = compileActions(config.actions, ['processors', id, 'actions']),
      test = compileMatch(signal, config.include, config.exclude, ['processors', id]);
    const cursor = signal === 'traces' ? span : signal === 'logs' ? log : dataPoint;
    const visit = (): number => {
      if (test === null || test()) apply(cursor);
      return KEEP;
    };
    const enclosing = RESOURCE_LEVEL | SCOPE_LEVEL | (signal === 'metrics' ? RECORD_LEVEL : 0);
    return new BytesRewriter(signal, [{ level: signal === 'metrics' ? INNER_LEVEL : RECORD_LEVEL, visit, reads: test === null ? 0 : enclosing, writes: 0 }]);
  },
});
