/** Drops telemetry: what matches a condition goes, and what is empty afterwards. */
import { Frame } from '#ottl/contexts/context.ts';
import { anyCondition, ErrorPolicy } from '#ottl/group.ts';
import { defineProcessor } from '#src/core/component.ts';
import { DROP, INNER_LEVEL, KEEP, type Pass } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { compileConditions, configSchema } from './config.ts';
import { logPasses, metricPasses, spanPasses } from './match.ts';

export default defineProcessor({
  type: 'filter',
  stability: { traces: 'alpha', metrics: 'alpha', logs: 'alpha' },
  configSchema,
  createRewriter({ config, signal, telemetry, clock }) {
    const passes: Pass[] = compileConditions(config, signal).groups.map((group) => {
      const frame = new Frame(group.context);
      const drops = anyCondition(group.conditions, new ErrorPolicy(group.errorMode, telemetry.log, clock));
      const visit = (): number => {
        frame.reset();
        return drops(frame) ? DROP : KEEP;
      };
      // A condition on a metric may look at its data points (HasAttrOnDatapoint, metric.data_points).
      return { level: group.level, visit, reads: group.reads | (group.context === 'metric' ? INNER_LEVEL : 0), writes: group.writes, dropsEmpty: true };
    });
    passes.push(...(signal === 'traces' ? spanPasses(config.spans) : signal === 'metrics' ? metricPasses(config.metrics) : logPasses(config.logs)));
    return passes.length > 0 ? new BytesRewriter(signal, passes) : null;
  },
});
