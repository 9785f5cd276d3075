/** Tails files and turns their lines into log records; operators parse and change them. */
import { defineReceiver } from '#src/core/component.ts';
import { configSchema } from './config.ts';
import { FileLogReceiver } from './receiver.ts';

export default defineReceiver({
  type: 'file_log',
  aliases: ['filelog'],
  stability: { logs: 'beta' },
  configSchema,
  create(context) {
    return new FileLogReceiver(context, context.next.logs!);
  },
});
