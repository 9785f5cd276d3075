import { z } from 'zod';
import { actionList } from '#src/helper/attributes/config.ts';
import { matchProperties } from '#src/helper/match/config.ts';

export const configSchema = z.strictObject({
  actions: actionList('actions').describe('What is done to the attributes, in this order.'),
  include: matchProperties.optional().describe('Only these records are changed.'),
  exclude: matchProperties.optional().describe('These records are not changed.'),
});
