/**
 * Compiles a list of actions into one function over the attributes under a cursor. Literal keys are numbers, literal values bytes that were
 * encoded before; only what needs a value (hash, convert, extract) decodes one.
 */
import { createHash } from 'node:crypto';
import type { BatchContext } from '#src/core/batch.ts';
import { ConfigError } from '#src/core/errors.ts';
import { position } from '#src/data/contexts.ts';
import { attributeLiteral, type Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import { STRING, type Value } from '#src/data/value.ts';
import { valueText } from '#src/data/value_text.ts';
import type { Action } from './config.ts';

/** Changes the attributes of the message that the cursor stands on. */
export type Apply = (cursor: Cursor) => void;

/** Throws ConfigError where an action has no source of a value; `path` leads to the list. Only now: a reference may stand for nothing until the start. */
export function compileActions(actions: readonly Action[], path: readonly (string | number)[]): Apply {
  const issues = actions.flatMap((action, i) =>
    hasSource(action)
      ? []
      : [
          {
            path: [...path, i, 'value'],
            message: `error with key "${action.key}": one of "value", "from_attribute", "from_context" or "default_value" must be specified`,
          },
        ],
  );
  if (issues.length > 0) throw new ConfigError(issues);
  const steps = actions.map(compile);
  return (cursor) => {
    for (let i = 0; i < steps.length; i++) steps[i]!(cursor);
  };
}

function hasSource({ action, value, fromAttribute, fromContext, defaultValue }: Action): boolean {
  return (
    (action !== 'insert' && action !== 'update' && action !== 'upsert') ||
    value !== undefined ||
    fromAttribute !== '' ||
    fromContext !== '' ||
    defaultValue !== undefined
  );
}

function compile(action: Action): Apply {
  switch (action.action) {
    case 'insert':
    case 'update':
    case 'upsert':
      return compileSet(action, action.action !== 'update', action.action !== 'insert');
    case 'delete':
      return compileDelete(action);
    case 'hash':
      return compileHash(action);
    case 'extract':
      return compileExtract(action);
    case 'convert':
      return compileConvert(action);
  }
}

function compileSet(action: Action, adds: boolean, changes: boolean): Apply {
  const { key } = action,
    id = keyId(key);
  const wanted = (cursor: Cursor): boolean => (cursor.row(id) < 0 ? adds : changes);
  if (action.value !== undefined) {
    const literal = attributeLiteral(key, action.value);
    return (cursor) => {
      if (wanted(cursor)) cursor.setLiteral(literal);
    };
  }
  const fromId = action.fromAttribute === '' ? -1 : keyId(action.fromAttribute),
    { fromContext } = action;
  const fallback = action.defaultValue === undefined ? null : attributeLiteral(key, action.defaultValue);
  return (cursor) => {
    if (!wanted(cursor)) return;
    if (fromContext !== '') {
      const value = contextValue(position.context, fromContext);
      if (value !== undefined) return cursor.setAttributeText(id, value);
    }
    const row = fromId < 0 ? -1 : cursor.row(fromId);
    if (row >= 0) cursor.setAttributeAny(id, cursor.valueStart(row), cursor.valueEnd(row));
    else if (fallback !== null) cursor.setLiteral(fallback);
  };
}

/** What came with the request; several values are joined by ";". undefined where there is nothing. */
function contextValue(context: BatchContext, name: string): string | undefined {
  if (name === 'client.address') return context.clientAddress ?? '';
  if (name.startsWith('auth.')) {
    const found = context.authAttributes?.get(name.slice('auth.'.length));
    return typeof found === 'string' || found === undefined ? found : found.length > 0 ? found.join(';') : undefined;
  }
  return context.metadata?.get((name.startsWith('metadata.') ? name.slice('metadata.'.length) : name).toLowerCase())?.join(';');
}

function compileDelete({ key, pattern }: Action): Apply {
  const id = key === '' ? -1 : keyId(key);
  return (cursor) => {
    if (id >= 0) cursor.deleteAttribute(id);
    if (pattern === null) return;
    for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) if (pattern.test(cursor.keyText(row))) cursor.deleteRow(row);
  };
}

function compileHash({ key, pattern }: Action): Apply {
  const id = key === '' ? -1 : keyId(key);
  return (cursor) => {
    const row = id < 0 ? -1 : cursor.row(id);
    if (row >= 0) cursor.setValue(row, hashOf(cursor.value(row)));
    if (pattern === null) return;
    for (let at = cursor.firstRow(); at >= 0; at = cursor.nextRow(at)) if (pattern.test(cursor.keyText(at))) cursor.setValue(at, hashOf(cursor.value(at)));
  };
}

/** SHA-256 in hex of the value's bytes, numbers as 8 bytes little endian; '' for what cannot be hashed. */
export function hashOf(value: Value): string {
  const bytes = Buffer.alloc(8);
  if (typeof value === 'bigint') bytes.writeBigInt64LE(value);
  else if (typeof value === 'number') bytes.writeDoubleLE(value);
  else if (typeof value !== 'string' && typeof value !== 'boolean') return '';
  return createHash('sha256')
    .update(typeof value === 'string' ? value : typeof value === 'boolean' ? Buffer.from([value ? 1 : 0]) : bytes)
    .digest('hex');
}

function compileExtract({ key, pattern }: Action): Apply {
  const id = keyId(key),
    ids = pattern!.groupNames.map(keyId);
  return (cursor) => {
    if (cursor.readAttribute(id) !== STRING) return;
    const match = pattern!.exec(cursor.valueText());
    if (match) for (let i = 0; i < ids.length; i++) cursor.setAttributeText(ids[i]!, match.groups[i + 1] ?? '');
  };
}

function compileConvert({ key, convertedType }: Action): Apply {
  const id = keyId(key);
  return (cursor) => {
    const row = cursor.row(id);
    if (row < 0) return;
    const value = cursor.value(row),
      converted = convertedType === 'string' ? valueText(value) : convertedType === 'int' ? toInt(value) : toDouble(value);
    if (converted !== undefined && converted !== value) cursor.setValue(row, converted);
  };
}

const INT64_MIN = -(1n << 63n);
/** undefined: stays as it is. */
function toInt(value: Value): bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : INT64_MIN; // What Go makes of it on amd64.
  if (typeof value !== 'string' || !/^[+-]?\d{1,40}$/.test(value)) return undefined;
  const parsed = BigInt(value.replace('+', ''));
  return BigInt.asIntN(64, parsed) === parsed ? parsed : undefined;
}

function toDouble(value: Value): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return undefined;
  const special = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(value);
  if (special) return special[2] === undefined ? (special[1] === '' ? Number.NaN : undefined) : special[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value) ? Number(value) : undefined;
}
