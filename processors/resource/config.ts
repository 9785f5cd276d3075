import { z } from 'zod';
import { actionList } from '#src/helper/attributes/config.ts';

export const configSchema = z.strictObject({
  attributes: actionList('attributes').describe('What is done to the attributes of the resource, in this order.'),
});
