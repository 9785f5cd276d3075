/**
 * Labels of a series from resource, scope and data point, as [name, value, ...] sorted by the bytes of the names, and their encoding as remote
 * write's Label messages, which is also what the store takes.
 */
import type { Cursor } from '#src/data/cursor.ts';
import { keyId } from '#src/data/keys.ts';
import { SCOPE } from '#src/data/message_types.ts';
import { valueText } from '#src/data/value_text.ts';
import { utf8Size } from '#src/wire/bytes.ts';
import type { ProtoWriter } from '#src/wire/proto_writer.ts';
import { labelName, type NameRules } from './names.ts';

export const SERVICE_NAME = keyId('service.name');
export const SERVICE_NAMESPACE = keyId('service.namespace');
export const SERVICE_INSTANCE_ID = keyId('service.instance.id');
const IDENTIFYING = new Set([SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID]);

export type Labels = Map<string, string>;

/** Which attributes of the resource become labels of its series: none but job and instance, all, all but those two are made of. */
export type ResourceLabels = 'none' | 'all' | 'without_service';

/** The attributes as labels: names escaped, equal names joined by ";" in the order of the attributes' names, empty values left out. */
export function addAttributes(labels: Labels, cursor: Cursor, rules: NameRules, leaveOut: ReadonlySet<number> | null = null, keepUnderscores = false): void {
  const found: [name: string, value: string][] = [];
  collect(found, cursor, leaveOut);
  addSorted(labels, found, rules, keepUnderscores);
}

/** The same for a point with attributes of its resource, which win over those of the point. */
export function addPointAttributes(labels: Labels, point: Cursor, resource: Cursor, which: ResourceLabels, rules: NameRules): void {
  if (which === 'none') return addAttributes(labels, point, rules);
  const own: [name: string, value: string][] = [],
    found: [name: string, value: string][] = [],
    taken = new Set<string>();
  for (let row = resource.firstRow(); row >= 0; row = resource.nextRow(row))
    if (which === 'all' || !IDENTIFYING.has(resource.keyIdOf(row))) taken.add(resource.keyText(row));
  collect(own, point, null);
  for (const attribute of own) if (!taken.has(attribute[0])) found.push(attribute);
  collect(found, resource, which === 'all' ? null : IDENTIFYING);
  addSorted(labels, found, rules, false);
}

function collect(found: [name: string, value: string][], cursor: Cursor, leaveOut: ReadonlySet<number> | null): void {
  for (let row = cursor.firstRow(); row >= 0; row = cursor.nextRow(row)) {
    if (leaveOut?.has(cursor.keyIdOf(row))) continue;
    const value = valueText(cursor.value(row));
    if (value !== '') found.push([cursor.keyText(row), value]);
  }
}

function addSorted(labels: Labels, found: [name: string, value: string][], rules: NameRules, keepUnderscores: boolean): void {
  found.sort((a, b) => compareNames(a[0], b[0]));
  for (const [key, value] of found) {
    const name = labelName(key, rules, keepUnderscores),
      known = labels.get(name);
    if (known === undefined) labels.set(name, value);
    else if (known !== value) labels.set(name, `${known};${value}`);
  }
}

/** job and instance, which the resource's own identity becomes. */
export function addIdentity(labels: Labels, resource: Cursor): void {
  const text = (id: number): string => {
    const row = resource.row(id);
    return row < 0 ? '' : valueText(resource.value(row));
  };
  const service = text(SERVICE_NAME),
    instance = text(SERVICE_INSTANCE_ID);
  if (service !== '') labels.set('job', resource.row(SERVICE_NAMESPACE) < 0 ? service : `${text(SERVICE_NAMESPACE)}/${service}`);
  if (instance !== '') labels.set('instance', instance);
}

/** otel_scope_name, _version and the scope's attributes. */
export function addScope(labels: Labels, scope: Cursor, rules: NameRules): void {
  const add = (name: string, value: string): void => void (value !== '' && labels.set(labelName(`otel_scope_${name}`, rules), value));
  add('name', scope.text(SCOPE.name));
  add('version', scope.text(SCOPE.version));
  for (let row = scope.firstRow(); row >= 0; row = scope.nextRow(row)) {
    const key = scope.keyText(row);
    if (key !== 'name' && key !== 'version' && key !== 'schema_url') add(key, valueText(scope.value(row)));
  }
}

/**
 * What target_info has: the resource's other attributes. False: there are none (one with an empty value is one), or nothing that tells the target from
 * others. `asPoints`: names as those of points, which may be UTF-8, instead of the plainer escaping that target_info always had.
 */
export function addTargetInfo(
  labels: Labels,
  resource: Cursor,
  rules: NameRules,
  externalLabels: readonly (readonly [name: string, value: string])[],
  asPoints = false,
): boolean {
  let others = resource.attributeCount();
  for (const key of IDENTIFYING) if (resource.row(key) >= 0) others--;
  if (others === 0) return false;
  addAttributes(labels, resource, asPoints ? rules : { ...rules, utf8: false }, IDENTIFYING, !asPoints);
  addIdentity(labels, resource);
  for (const [name, value] of externalLabels) if (!labels.has(name)) labels.set(name, value);
  return labels.has('job') || labels.has('instance');
}

/** Names by their UTF-8 bytes; code units order differently only above the surrogates. */
export function compareNames(a: string, b: string): number {
  return a === b ? 0 : /[\ud800-\uffff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

/** [name, value, ...] sorted; labels with empty values do not exist. */
export function sortedLabels(labels: Labels): string[] {
  const names = [...labels.keys()].filter((name) => labels.get(name) !== '').sort(compareNames);
  return names.flatMap((name) => [name, labels.get(name)!]);
}

/** Appends `0a len 0a len name 12 len value` for each label. */
export function writeLabels(writer: ProtoWriter, sorted: readonly string[]): void {
  for (let i = 0; i < sorted.length; i += 2) {
    const name = sorted[i]!,
      value = sorted[i + 1]!,
      nameSize = utf8Size(name),
      valueSize = utf8Size(value);
    writer.tag(1, 2);
    writer.varint(2 + varintBytes(nameSize) + nameSize + varintBytes(valueSize) + valueSize);
    writer.text(1, name);
    writer.text(2, value);
  }
}
const varintBytes = (n: number): number => (n < 128 ? 1 : n < 16384 ? 2 : n < 2097152 ? 3 : 4);
