/**
 * What the options that hold statements or conditions of OTTL have in common: error modes, names of contexts, lists of texts, and lists of either texts
 * or groups. The language itself is in ottl/.
 */
import { z } from 'zod';

const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

export const ERROR_MODES = ['propagate', 'ignore', 'silent'] as const;
export const errorMode = () =>
  z.preprocess(lower, z.enum(ERROR_MODES, { error: (issue) => `unknown error mode ${String(issue.input)}; use one of ${ERROR_MODES.join(', ')}` }));

const CONTEXTS = ['resource', 'scope', 'span', 'spanevent', 'metric', 'datapoint', 'log'] as const;
export const contextName = () =>
  z.preprocess(lower, z.enum(CONTEXTS, { error: (issue) => `unknown context ${String(issue.input)}; use one of ${CONTEXTS.join(', ')}` }));

/** A list of texts. Nothing is an empty one, and a text is cut at its commas, as the Collector reads lists. */
export const texts = () =>
  z.preprocess((value) => (value === null ? [] : typeof value === 'string' ? (value === '' ? [] : value.split(',')) : value), z.array(z.string()));

/** Texts that stand for themselves, or a group; `places` are the indexes of its texts in the list, -1 that of a group. */
export interface Item<G> {
  readonly group: G | null;
  readonly texts: readonly string[];
  /** Where in the list the group is, or each of the texts. */
  readonly places: readonly number[];
}

/**
 * A list of groups, or of texts, which are one group more behind them. A group may not follow a text. Not a union, whose issues would not say what is
 * wrong with a group.
 */
export function textsOrGroups<G extends z.ZodType>(field: string, what: string, group: G) {
  const item = z.unknown().transform((value, context): string | z.output<G> => {
    if (typeof value === 'string') return value;
    const parsed = group.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { message, path } of parsed.error.issues) context.issues.push({ code: 'custom', input: value, message, path: [...path] });
    return z.NEVER;
  });
  return z.array(item, { error: () => `${field} must be a list of ${what} or of groups of ${what}` }).transform((items, context): Item<z.output<G>>[] => {
    const list: Item<z.output<G>>[] = [];
    const texts: string[] = [];
    const places: number[] = [];
    for (const [index, one] of items.entries()) {
      if (typeof one === 'string') {
        texts.push(one);
        places.push(index);
        continue;
      }
      if (texts.length > 0) {
        const message = `${field}: configuring multiple configuration styles is not supported; use either a list of ${what} or a list of groups`;
        context.issues.push({ code: 'custom', input: items, message });
        return z.NEVER;
      }
      list.push({ group: one, texts: [], places: [index] });
    }
    return texts.length > 0 ? [...list, { group: null, texts, places }] : list;
  });
}
