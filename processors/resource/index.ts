/** Changes the attributes of resources by a list of actions. */
import { defineProcessor } from '#src/core/component.ts';
import { KEEP, RESOURCE_LEVEL, resource } from '#src/data/contexts.ts';
import { BytesRewriter } from '#src/data/rewrite.ts';
import { compileActions } from '#src/helper/attributes/actions.ts';
import { configSchema } from './config.ts';

export default defineProcessor({
  type: 'resource',
  stability: { traces: 'beta', metrics: 'beta', logs: 'beta' },
  configSchema,
  createRewriter({ id, config, signal }) {
    const apply = compileActions(config.attributes, ['processors', id, 'attributes']);
    const visit = (): number => {
      apply(resource);
      return KEEP;
    };
    return new BytesRewriter(signal, [{ level: RESOURCE_LEVEL, visit, reads: 0, writes: 0 }]);
  },
});
