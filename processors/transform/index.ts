/** Changes telemetry with statements of OTTL: one pass of the rewriter for each group. */
import { ErrorPolicy, isFaulty, statementPass } from '#ottl/group.ts';
import { defineProcessor } from '#src/core/component.ts';
import { ConfigError } from '#src/core/errors.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { compileTransform, configSchema, groupsOf, SIGNAL_FIELDS } from './config.ts';

export default defineProcessor({
  type: 'transform',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  createRewriter({ config, signal, telemetry, clock }) {
    const passes = groupsOf(config[SIGNAL_FIELDS[signal]])
      .filter((group) => group.statements.length > 0)
      .map((group) => {
        const compiled = compileTransform(signal, group);
        if (isFaulty(compiled)) throw new ConfigError(compiled.map(({ message }) => message).join('\n')); // The schema has said so before.
        return statementPass(compiled, new ErrorPolicy(group.error_mode ?? config.error_mode, telemetry.log, clock));
      });
    return passes.length > 0 ? new BytesRewriter(signal, passes) : null;
  },
});
