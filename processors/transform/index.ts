/** Changes telemetry with statements of OTTL: one pass of the rewriter for each group. */
import { functions } from '#ottl/functions/index.ts';
import { signature } from '#ottl/functions/page.ts';
import { ErrorPolicy, isFaulty, statementPass } from '#ottl/group.ts';
import { defineProcessor } from '#src/core/component.ts';
import { ConfigError } from '#src/core/errors.ts';
import { INNER_LEVEL, RECORD_LEVEL } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { compileTransform, configSchema, groupsOf, SIGNAL_FIELDS } from './config.ts';
import { transformFunctions } from './functions.ts';

const ALL_LEVELS = 0xf;

export default defineProcessor({
  type: 'transform',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  functions: () => [...functions, ...transformFunctions].map((one) => ({ signature: signature(one), summary: one.summary, contexts: one.contexts })),
  createRewriter({ config, signal, telemetry, clock }) {
    const passes = groupsOf(config[SIGNAL_FIELDS[signal]])
      .filter(({ group }) => group.statements.length > 0)
      .map(({ group }) => {
        const compiled = compileTransform(signal, group);
        if (isFaulty(compiled)) throw new ConfigError(compiled.map(({ message }) => message).join('\n')); // The schema has said so before.
        const pass = statementPass(compiled, new ErrorPolicy(group.error_mode ?? config.error_mode, telemetry.log, clock));
        // A function that makes metrics of metrics looks at all data points, and what it adds is seen by all that comes behind.
        return transformFunctions.some(({ name }) => compiled.calls.has(name))
          ? { ...pass, reads: ALL_LEVELS, writes: pass.writes | RECORD_LEVEL | INNER_LEVEL, appends: true }
          : pass;
      });
    return passes.length > 0 ? new BytesRewriter(signal, passes) : null;
  },
});
