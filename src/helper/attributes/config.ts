/** The list of actions that the attributes and resource processors share, with contrib's names and checks. */
import { z } from 'zod';
import { anyValue } from '#src/config/schema.ts';
import { compilePattern, type Pattern } from '#src/core/regexp/pattern.ts';
import { type Value, ValueMap } from '#src/data/value.ts';

const SETTING = ['insert', 'update', 'upsert'];

const raw = z
  .strictObject({
    key: z.string().default('').describe('The attribute.'),
    action: z.string().describe('insert, update, upsert, delete, hash, extract or convert.'),
    value: anyValue().optional().describe('The value to set; its type is that of the YAML value.'),
    from_attribute: z.string().default('').describe('The attribute to copy from.'),
    from_context: z.string().default('').describe('What came with the request: metadata.NAME, client.address.'),
    default_value: anyValue().optional().describe('The value where the source has none.'),
    pattern: z.string().default('').describe('RE2 pattern: of keys for delete and hash, with named groups for extract.'),
    converted_type: z.string().default('').describe('For convert: int, double or string.'),
  })
  .transform((given, context): Action => {
    const action = given.action.toLowerCase(),
      { key, pattern, converted_type } = given;
    const wrong = (field: string, message: string) => void context.addIssue({ code: 'custom', path: [field], message, input: given });
    const hasValue = given.value !== undefined && given.value !== null,
      sources = [hasValue, given.from_attribute !== '', given.from_context !== ''].filter(Boolean).length;
    const names = `error with key "${key}"`;
    if (action === 'delete' || action === 'hash') {
      if (key === '' && pattern === '') wrong('key', 'missing required field: at least one of "key" and "pattern" has to be used');
      if (hasValue || given.from_attribute !== '')
        wrong('value', `${names}: action "${action}" does not use the "value" or "from_attribute" field; these must not be specified`);
    } else if (key === '') wrong('key', 'missing required field "key"');
    if (SETTING.includes(action)) {
      if (sources > 1) wrong('value', `${names}: multiple value sources being set; keep one of "value", "from_attribute" and "from_context"`);
    } else if (action === 'extract' || action === 'convert') {
      if (sources > 0) wrong('value', `${names}: action "${action}" does not use a value source; it must not be specified`);
    } else if (action !== 'delete' && action !== 'hash')
      wrong('action', `${names}: unsupported action "${given.action}"; use one of insert, update, upsert, delete, hash, extract, convert`);
    if (pattern !== '' && (SETTING.includes(action) || action === 'convert')) wrong('pattern', `${names}: action "${action}" does not use the "pattern" field`);
    if (pattern === '' && action === 'extract') wrong('pattern', `${names}: missing required field "pattern" for action "extract"`);
    if (converted_type !== '' && action !== 'convert') wrong('converted_type', `${names}: action "${action}" does not use the "converted_type" field`);
    if (action === 'convert' && !['int', 'double', 'string'].includes(converted_type))
      wrong('converted_type', `${names}: invalid value "${converted_type}" in field "converted_type"; use int, double or string`);
    let compiled: Pattern | null = null;
    if (pattern !== '') {
      try {
        compiled = compilePattern(pattern);
      } catch (error) {
        wrong('pattern', `${names}: field "pattern" has the invalid pattern "${pattern}": ${(error as Error).message}`);
      }
    }
    if (compiled && action === 'extract' && (compiled.groupNames.length === 0 || compiled.groupNames.includes('')))
      wrong('pattern', `${names}: field "pattern" must have named groups only, as in (?P<name>...)`);
    return {
      action: action as Action['action'],
      key,
      value: hasValue ? toValue(given.value) : undefined,
      fromAttribute: given.from_attribute,
      fromContext: given.from_context,
      defaultValue: given.default_value === undefined || given.default_value === null ? undefined : toValue(given.default_value),
      pattern: compiled,
      convertedType: converted_type as Action['convertedType'],
    };
  });

export interface Action {
  readonly action: 'insert' | 'update' | 'upsert' | 'delete' | 'hash' | 'extract' | 'convert';
  readonly key: string;
  readonly value: Value | undefined;
  /** '' where there is none, as for the next. */
  readonly fromAttribute: string;
  readonly fromContext: string;
  readonly defaultValue: Value | undefined;
  readonly pattern: Pattern | null;
  readonly convertedType: 'int' | 'double' | 'string' | '';
}

/** The list under the key `field`; an empty one is a fault. */
export function actionList(field: string) {
  return z
    .array(raw)
    .nullish()
    .transform((list, context) => {
      if (list && list.length > 0) return list;
      context.addIssue({ code: 'custom', message: `missing required field "${field}"; name at least one action`, input: list });
      return z.NEVER;
    });
}

/** A YAML value (`anyValue`) as telemetry holds it. */
export function toValue(given: unknown): Value {
  if (given === null || given === undefined) return null;
  if (Array.isArray(given)) return given.map(toValue);
  if (typeof given === 'object') return new ValueMap(Object.keys(given), Object.values(given).map(toValue));
  return given as string | number | boolean | bigint;
}
