/** Functions that only transform has, and what its conditions may call. */
import type { FunctionDefinition } from '#ottl/function.ts';
import { functions } from '#ottl/functions/index.ts';

export const transformFunctions: readonly FunctionDefinition[] = [];

export const conditionFunctions: readonly FunctionDefinition[] = functions.filter((definition) => definition.kind === 'converter');
