/** Editors that choose among the attributes of a message by key, done on its rows: keep_keys, limit, delete_matching_keys, keep_matching_keys. */
import type { RecordContext } from '#ottl/function.ts';
import { compilePattern } from '#ottl/pattern.ts';
import type { Call, Expression } from '#ottl/syntax/ast.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import { BytePattern } from './byte_pattern.ts';
import { compilePathOf } from './expression.ts';
import type { Scope } from './scope.ts';

type Run = (record: RecordContext) => void;

/** Null: the general way. It also finds what is wrong with the arguments. */
export function fastKeys(call: Call, scope: Scope): Run | null {
  const args = call.args.map(({ name, value }) => (name === undefined ? value : null));
  const [target, second, third] = args;
  if (target?.kind !== 'path' || !second || !scope.functions.has(call.name)) return null;
  const known = compilePathOf(target, scope, true).known;
  if (known?.kind !== 'attributes') return null;
  const { cursor } = known;
  if (args.length === 2) {
    if (call.name === 'keep_keys') return keepKeys(cursor, textsOf(second));
    if (second.kind !== 'string') return null;
    if (call.name === 'delete_matching_keys') return matchingKeys(cursor, second.value, true);
    if (call.name === 'keep_matching_keys') return matchingKeys(cursor, second.value, false);
  }
  if (args.length === 3 && call.name === 'limit' && second.kind === 'int' && !second.computed && third)
    return limit(cursor, Number(second.value), textsOf(third));
  return null;
}

function textsOf(node: Expression): readonly string[] | null {
  if (node.kind !== 'list') return null;
  const texts = node.items.flatMap((item) => (item.kind === 'string' ? [item.value] : []));
  return texts.length === node.items.length ? texts : null;
}
/** 1 for the numbers of these keys. Numbers that are given later are beyond its end, and undefined is not 1. */
function setOf(keys: readonly string[]): Uint8Array {
  const ids = keys.map(keyId);
  const set = new Uint8Array(Math.max(0, ...ids.map((id) => id + 1)));
  for (const id of ids) set[id] = 1;
  return set;
}

function keepKeys(cursor: Cursor, keys: readonly string[] | null): Run | null {
  if (keys === null) return null;
  const kept = setOf(keys);
  return () => {
    for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) if (kept[cursor.keyIdOf(row)] !== 1) cursor.deleteRow(row);
  };
}

function limit(cursor: Cursor, most: number, priority: readonly string[] | null): Run | null {
  if (priority === null || most < priority.length) return null;
  const first = setOf(priority);
  const ids = Int32Array.from(priority, keyId);
  return () => {
    if (cursor.attributeCount() <= most) return;
    let count = 0;
    for (let i = 0; i < ids.length; i++) if (cursor.row(ids[i]!) >= 0) count++;
    for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) if (first[cursor.keyIdOf(row)] !== 1 && count++ >= most) cursor.deleteRow(row);
  };
}

function matchingKeys(cursor: Cursor, source: string, deletes: boolean): Run | null {
  let pattern: ReturnType<typeof compilePattern>;
  try {
    pattern = compilePattern(source);
  } catch {
    return null;
  }
  const bytes = BytePattern.of(source);
  return () => {
    for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) {
      const matches = bytes ? bytes.exec(cursor.space.bytes, cursor.keyStart(row), cursor.keyEnd(row)) : pattern.test(cursor.keyText(row));
      if (matches === deletes) cursor.deleteRow(row);
    }
  };
}
