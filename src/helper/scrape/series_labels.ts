/**
 * From the labels that a line has to what its OTLP point needs: the target's labels are added, metric_relabel_configs applied, limits and names
 * checked; then job and instance choose the resource, otel_scope_* the scope, and the rest become the point's attributes, encoded once. All this
 * happens when a series is seen first; afterwards its bytes are copied.
 */
import { applyRules, isLabelName, isMetricName, type Labels, type NameScheme, type RelabelStep } from '#src/helper/relabel.ts';
import { ExpositionError } from '#src/helper/exposition/parser.ts';
import { parseGoFloat } from '#src/helper/exposition/number.ts';
import { ProtoWriter } from '#src/wire/proto_writer.ts';

export interface LabelLimits {
  /** 0: no limit. */
  readonly labels: number;
  readonly nameLength: number;
  readonly valueLength: number;
}

export interface LabelOptions {
  /** The target's labels after relabelling, without those that begin with "__". */
  readonly targetLabels: Labels;
  readonly externalLabels: Labels;
  readonly honorLabels: boolean;
  readonly rules: readonly RelabelStep[];
  readonly scheme: NameScheme;
  readonly limits: LabelLimits;
}

export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: readonly (readonly [string, string])[];
}
export const EMPTY_SCOPE: Scope = { name: '', version: '', schemaUrl: '', attributes: [] };

/** What is known of a series once its labels are final. */
export interface SeriesIdentity {
  readonly name: string;
  readonly job: string;
  readonly instance: string;
  readonly scope: Scope;
  /** The attributes as fields of a NumberDataPoint; the label le (or quantile) comes last, so that the first `baseSize` bytes are those of the whole histogram. */
  readonly attributes: Buffer;
  readonly baseSize: number;
  /** The label that comes last is quantile: there is no le. */
  readonly hasQuantile: boolean;
  /** The value of le or quantile; NaN where there is none or it is no number. */
  readonly bound: number;
  /** All labels but name, job and instance, where the metric describes a resource or scope and makes no point. */
  readonly info: readonly (readonly [string, string])[] | null;
}

const SCOPE_PREFIX = 'otel_scope_';
const TARGET_INFO = 'target_info';
export const SCOPE_INFO = 'otel_scope_info';
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set(['__name__', 'job', 'instance', '__scheme__', '__metrics_path__']);
const NUMBER_POINT_ATTRIBUTES = 7;

const writer = new ProtoWriter(4096);

/** The series' identity, or null where relabelling drops it. Throws ExpositionError where the scrape has to fail. */
export function identifySeries(name: string, lineLabels: readonly string[], options: LabelOptions): SeriesIdentity | null {
  const labels = finalLabels(name, lineLabels, options);
  if (labels === null) return null;
  const metric = labels.get('__name__') ?? '';
  const names = [...labels.keys()].sort();
  const job = labels.get('job') || options.targetLabels.get('job') || '';
  const instance = labels.get('instance') || options.targetLabels.get('instance') || '';
  if (job === '' || instance === '') throw new ExpositionError('job or instance cannot be found from labels');
  const tail = labels.has('le') ? 'le' : 'quantile';
  writer.reset();
  for (const label of names) if (label !== tail) writeAttribute(label, labels);
  const baseSize = writer.length;
  writeAttribute(tail, labels);
  const isInfo = metric === TARGET_INFO || metric === SCOPE_INFO;
  return {
    name: metric,
    job,
    instance,
    scope: isInfo && metric === TARGET_INFO ? EMPTY_SCOPE : scopeOf(names, labels, isInfo),
    attributes: writer.finish(),
    baseSize,
    hasQuantile: tail === 'quantile' && labels.has('quantile'),
    bound: parseGoFloat(labels.get(tail) ?? '') ?? Number.NaN,
    info: isInfo ? infoLabels(names, labels, metric) : null,
  };
}

function writeAttribute(label: string, labels: Labels): void {
  const value = labels.get(label);
  if (value === undefined || value === '' || NOT_ATTRIBUTES.has(label) || label.startsWith(SCOPE_PREFIX)) return;
  const attribute = writer.open(NUMBER_POINT_ATTRIBUTES);
  writer.text(1, label);
  const any = writer.open(2);
  writer.text(1, value);
  writer.close(any);
  writer.close(attribute);
}

function finalLabels(name: string, lineLabels: readonly string[], options: LabelOptions): Labels | null {
  const labels: Labels = new Map([['__name__', name]]);
  const seen = new Set<string>(['__name__']);
  let duplicate = '';
  for (let i = 0; i < lineLabels.length; i += 2) {
    const label = lineLabels[i]!;
    if (seen.has(label)) duplicate = label;
    seen.add(label);
    if (lineLabels[i + 1] !== '') labels.set(label, lineLabels[i + 1]!);
  }
  addTargetLabels(labels, seen, options);
  if (!applyRules(options.rules, labels) || labels.size === 0) return null;
  const metric = labels.get('__name__') ?? '';
  if (metric === '') throw new ExpositionError('metric name is missing in label set');
  if (!isMetricName(metric, options.scheme)) throw new ExpositionError(`invalid metric name: "${metric}"`);
  for (const label of labels.keys()) if (!isLabelName(label, options.scheme)) throw new ExpositionError(`invalid label name of "${metric}": "${label}"`);
  checkLimits(metric, labels, options.limits);
  if (duplicate !== '') throw new ExpositionError(`invalid sample: non-unique label names: "${duplicate}"`);
  for (const [label, value] of options.externalLabels) labels.set(label, value);
  return labels;
}

function addTargetLabels(labels: Labels, exposed: ReadonlySet<string>, options: LabelOptions): void {
  if (options.honorLabels) {
    for (const [label, value] of options.targetLabels) if (!exposed.has(label)) labels.set(label, value);
    return;
  }
  const conflicts: [string, string][] = [];
  for (const [label, value] of options.targetLabels) {
    const existing = labels.get(label);
    if (existing !== undefined) conflicts.push([label, existing]);
    labels.set(label, value);
  }
  conflicts.sort((a, b) => a[0].length - b[0].length);
  for (const [label, value] of conflicts) {
    let renamed = `exported_${label}`;
    while (labels.has(renamed)) renamed = `exported_${renamed}`;
    labels.set(renamed, value);
  }
}

function checkLimits(metric: string, labels: Labels, limits: LabelLimits): void {
  const shown = metric.slice(0, 50);
  if (limits.labels > 0 && labels.size > limits.labels) {
    throw new ExpositionError(`label_limit exceeded (metric: ${shown}, number of labels: ${labels.size}, limit: ${limits.labels})`);
  }
  if (limits.nameLength === 0 && limits.valueLength === 0) return;
  for (const [label, value] of labels) {
    if (limits.nameLength > 0 && Buffer.byteLength(label) > limits.nameLength) {
      throw new ExpositionError(`label_name_length_limit exceeded (metric: ${shown}, label name: ${label.slice(0, 50)}, limit: ${limits.nameLength})`);
    }
    if (limits.valueLength > 0 && Buffer.byteLength(value) > limits.valueLength) {
      throw new ExpositionError(
        `label_value_length_limit exceeded (metric: ${shown}, label name: ${label.slice(0, 50)}, value: "${value.slice(0, 50)}", limit: ${limits.valueLength})`,
      );
    }
  }
}

/** Of an info metric every label but name, version and schema URL is an attribute of the scope, and does not tell scopes apart. */
function scopeOf(names: readonly string[], labels: Labels, isInfo: boolean): Scope {
  const attributes: [string, string][] = [];
  if (!isInfo) {
    for (const label of names) {
      if (!label.startsWith(SCOPE_PREFIX) || label === 'otel_scope_name' || label === 'otel_scope_version' || label === 'otel_scope_schema_url') continue;
      attributes.push([label.slice(SCOPE_PREFIX.length), labels.get(label)!]);
    }
  }
  const name = labels.get('otel_scope_name') ?? '';
  const version = labels.get('otel_scope_version') ?? '';
  const schemaUrl = labels.get('otel_scope_schema_url') ?? '';
  if (name === '' && version === '' && schemaUrl === '' && attributes.length === 0) return EMPTY_SCOPE;
  return { name, version, schemaUrl, attributes };
}

function infoLabels(names: readonly string[], labels: Labels, metric: string): [string, string][] {
  const kept: [string, string][] = [];
  for (const label of names) {
    if (label === '__name__' || label === 'job' || label === 'instance') continue;
    if (metric === SCOPE_INFO && (label === 'otel_scope_name' || label === 'otel_scope_version' || label === 'otel_scope_schema_url')) continue;
    kept.push([label, labels.get(label)!]);
  }
  return kept;
}
