/**
 * The grouped samples of a scrape as one OTLP MetricsData message: which resources, scopes and metrics it has, how long each is, and the frames around
 * the points, which point_encoder.ts writes.
 */
import { ProtoWriter } from '#src/wire/proto_writer.ts';
import { putVarint, varintSize } from '#src/wire/bytes.ts';
import { type Family, type FamilyGrouper, type Place, SUM } from './families.ts';
import type { Message, SampleValues } from './kept_message.ts';
import { trimSuffixes, unitToUcum } from './metadata.ts';
import { PointEncoder } from './point_encoder.ts';
import { writeAttribute } from './point_parts.ts';
import { viewOf } from './words.ts';

export interface MessageOptions {
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly trimSuffixes: boolean;
  /** Attributes of the resource for job and instance. */
  resource(job: string, instance: string): [string, string][];
}

/** Attributes that resource and scope get from target_info and otel_scope_info, by "job\0instance" and by scope key. */
export interface Infos {
  readonly resources: ReadonlyMap<string, Map<string, string>>;
  readonly scopes: ReadonlyMap<string, readonly (readonly [string, string])[]>;
}
export const resourceKey = (place: Place): string => `${place.job}\0${place.instance}`;
/** Attributes of an info metric belong to the scope without label attributes. */
export const scopeInfoKey = (place: Place): string => `${place.job}\0${place.instance}\0${place.scope.name}\0${place.scope.version}\0${place.scope.schemaUrl}`;

const scratch = new ProtoWriter(1024);

interface MetricPlan {
  readonly family: Family;
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly dataSize: number;
  readonly size: number;
}
interface ScopePlan {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly metrics: MetricPlan[];
  size: number;
}
interface ResourcePlan {
  readonly head: Buffer;
  readonly scopes: ScopePlan[];
  size: number;
}

const DATA_TAG = [0x2a, 0x3a, 0x4a, 0x5a, 0x52, 0x2a];
/** Behind the points: aggregation temporality cumulative, is_monotonic. */
const DATA_END = [Buffer.alloc(0), Buffer.from([0x10, 2]), Buffer.from([0x10, 2]), Buffer.alloc(0), Buffer.from([0x10, 2]), Buffer.alloc(0)];
const MONOTONIC_END = Buffer.from([0x10, 2, 0x18, 1]);
const framed = (size: number): number => 1 + varintSize(size) + size;

const encoder = new PointEncoder();

/** The whole message; null where it has no point. `sampleCount` is the size of `valueAt`. */
export function encodeMessage(
  grouper: FamilyGrouper,
  attributes: DataView,
  places: readonly Place[],
  samples: SampleValues,
  sampleCount: number,
  infos: Infos,
  options: MessageOptions,
): Message | null {
  encoder.grouper = grouper;
  encoder.samples = samples;
  encoder.attributes = attributes;
  encoder.operations = [];
  encoder.buckets.clear();
  encoder.blobs.clear();
  encoder.patchable = true;
  const resources = plan(grouper, places, infos, options);
  let size = 0;
  for (const resource of resources) size += framed(resource.size);
  const bytes = Buffer.allocUnsafeSlow(size);
  encoder.bytes = bytes;
  encoder.view = viewOf(bytes);
  encoder.pos = 0;
  encoder.valueAt = new Int32Array(sampleCount).fill(-1);
  let pointCount = 0;
  for (const resource of resources) pointCount += writeResource(resource);
  const message: Message = {
    bytes,
    view: encoder.view,
    pointCount,
    valueAt: encoder.valueAt,
    operations: Int32Array.from(encoder.operations),
    patchable: encoder.patchable,
    layout: encoder.patchable && encoder.blobs.size === 0 ? {} : null,
    lent: false,
  };
  encoder.buckets.clear();
  encoder.blobs.clear();
  encoder.valueAt = new Int32Array(0);
  encoder.bytes = Buffer.alloc(0);
  return pointCount === 0 ? null : message;
}

function plan(grouper: FamilyGrouper, places: readonly Place[], infos: Infos, options: MessageOptions): ResourcePlan[] {
  const resources = new Map<string, ResourcePlan>();
  for (let p = 0; p < places.length; p++) {
    const families = [...(grouper.families[p * 2]?.values() ?? []), ...(grouper.families[p * 2 + 1]?.values() ?? [])];
    const metrics: MetricPlan[] = [];
    let metricsSize = 0;
    for (const family of families) {
      const metric = planMetric(family, options.trimSuffixes);
      if (metric === null) continue;
      metrics.push(metric);
      metricsSize += framed(metric.size);
    }
    if (metrics.length === 0) continue;
    const place = places[p]!;
    const key = resourceKey(place);
    let resource = resources.get(key);
    if (resource === undefined) {
      const head = resourceField(place, infos, options);
      resource = { head, scopes: [], size: head.length };
      resources.set(key, resource);
    }
    const { head, tail } = scopeFields(place, infos, options);
    const size = head.length + metricsSize + tail.length;
    resource.scopes.push({ head, tail, metrics, size });
    resource.size += framed(size);
  }
  return [...resources.values()];
}

function planMetric(family: Family, trim: boolean): MetricPlan | null {
  const { points } = encoder.grouper;
  let dataSize = 0;
  for (let point = family.first; point >= 0; point = points.next[point]!) {
    const size = encoder.measure(point, family);
    points.size[point] = size;
    if (size > 0) dataSize += framed(size);
  }
  if (dataSize === 0) return null;
  const { metadata, kind } = family;
  dataSize += family.kind === SUM && family.monotonic ? MONOTONIC_END.length : DATA_END[kind]!.length;
  scratch.reset();
  scratch.text(1, trim ? trimSuffixes(family.name, kind === SUM, metadata.unit) : family.name);
  if (metadata.help !== '') scratch.text(2, metadata.help);
  if (metadata.unit !== '') scratch.text(3, unitToUcum(metadata.unit));
  const head = scratch.finish();
  scratch.reset();
  writeAttribute(scratch, 12, 'prometheus.type', metadata.type);
  const tail = scratch.finish();
  return { family, head, tail, dataSize, size: head.length + framed(dataSize) + tail.length };
}

function resourceField(place: Place, infos: Infos, options: MessageOptions): Buffer {
  const attributes = new Map(options.resource(place.job, place.instance));
  for (const [name, value] of infos.resources.get(resourceKey(place)) ?? []) attributes.set(name, value);
  const writer = new ProtoWriter(512);
  const mark = writer.open(1);
  for (const [name, value] of attributes) writeAttribute(writer, 1, name, value);
  writer.close(mark);
  return writer.finish();
}

function scopeFields(place: Place, infos: Infos, options: MessageOptions): { head: Buffer; tail: Buffer } {
  const { scope } = place;
  const isOwn = scope.name === '' && scope.version === '' && scope.schemaUrl === '' && scope.attributes.length === 0;
  const attributes = scope.attributes.length > 0 ? scope.attributes : (infos.scopes.get(scopeInfoKey(place)) ?? []);
  const writer = new ProtoWriter(256);
  const mark = writer.open(1);
  const name = isOwn ? options.scopeName : scope.name;
  const version = isOwn ? options.scopeVersion : scope.version;
  if (name !== '') writer.text(1, name);
  if (version !== '') writer.text(2, version);
  if (!isOwn) for (const [key, value] of attributes) writeAttribute(writer, 3, key, value);
  writer.close(mark);
  const head = writer.finish();
  writer.reset();
  if (scope.schemaUrl !== '') writer.text(3, scope.schemaUrl);
  return { head, tail: writer.finish() };
}

function writeResource(resource: ResourcePlan): number {
  const { bytes } = encoder;
  let pointCount = 0;
  frame(0x0a, resource.size);
  encoder.pos += resource.head.copy(bytes, encoder.pos);
  for (const scope of resource.scopes) {
    frame(0x12, scope.size);
    encoder.pos += scope.head.copy(bytes, encoder.pos);
    for (const metric of scope.metrics) pointCount += writeMetric(metric);
    encoder.pos += scope.tail.copy(bytes, encoder.pos);
  }
  return pointCount;
}

function writeMetric(metric: MetricPlan): number {
  const { bytes, grouper } = encoder;
  const { points } = grouper;
  const { family } = metric;
  let pointCount = 0;
  frame(0x12, metric.size);
  encoder.pos += metric.head.copy(bytes, encoder.pos);
  frame(DATA_TAG[family.kind]!, metric.dataSize);
  for (let point = family.first; point >= 0; point = points.next[point]!) {
    if (points.size[point] === 0) continue;
    frame(0x0a, points.size[point]!);
    encoder.writePoint(point, family);
    pointCount++;
  }
  const end = family.kind === SUM && family.monotonic ? MONOTONIC_END : DATA_END[family.kind]!;
  encoder.pos += end.copy(bytes, encoder.pos);
  encoder.pos += metric.tail.copy(bytes, encoder.pos);
  return pointCount;
}

function frame(tag: number, size: number): void {
  encoder.bytes[encoder.pos] = tag;
  encoder.pos = putVarint(encoder.bytes, encoder.pos + 1, size);
}
