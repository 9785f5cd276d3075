/**
 * The oldest form of filter: include and exclude by names, attributes and the like. A record is dropped where include does not match it or
 * exclude does.
 */
import { compilePattern } from '#ottl/pattern.ts';
import { deepEqual, type Stored } from '#ottl/values.ts';
import { formatFloat, valueText } from '#src/data/value_text.ts';
import {
  DROP,
  INNER_LEVEL,
  KEEP,
  log,
  metric,
  metricData,
  type Pass,
  position,
  RECORD_LEVEL,
  RESOURCE_LEVEL,
  resource,
  scope,
  span,
} from '#src/data/contexts.ts';
import { Cursor } from '#src/data/cursor.ts';
import { LOG, METRIC, METRIC_DATA, NUMBER_POINT_TYPE, pointTypeOf, SCOPE, SPAN } from '#src/data/message_types.ts';
import type { AttributeMatch, LogMatch, MetricMatch, SpanMatch } from './config.ts';
import { compileLabelsExpression, type Labels } from './expression.ts';

type Test = () => boolean;
export type MatchType = 'strict' | 'regexp' | '';

/** Throws with Go's text where a pattern is none. */
function textSet(texts: readonly string[], type: MatchType): (text: string) => boolean {
  if (type === '') throw new Error("unrecognized match_type: '', valid types are: [regexp strict]");
  if (type === 'strict') {
    const set = new Set(texts);
    return (text) => set.has(text);
  }
  const patterns = texts.map(compilePattern);
  return (text) => patterns.some((pattern) => pattern.test(text));
}

function plainText(value: Stored): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return typeof value === 'number' ? formatFloat(value) : undefined;
}

function attributesTest(cursor: Cursor, wanted: readonly AttributeMatch[], type: MatchType): Test {
  const tests = wanted.map(({ key, value }): ((found: Stored) => boolean) => {
    if (value === undefined || value === null) return () => true;
    if (type === '') throw new Error("unrecognized match_type: '', valid types are: [regexp strict]");
    if (type === 'strict') {
      const exact: Stored = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : (value as Stored);
      return (found) => deepEqual(found, exact);
    }
    if (typeof value !== 'string') throw new Error(`match_type=regexp for "${key}" only supports strings`);
    const matches = textSet([value], type);
    return (found) => {
      const text = plainText(found);
      return text !== undefined && matches(text);
    };
  });
  return () =>
    wanted.every(({ key }, i) => {
      const found = cursor.attribute(key);
      return found !== undefined && tests[i]!(found);
    });
}

function all(tests: readonly Test[]): Test {
  return () => tests.every((test) => test());
}

export function spanTest(match: SpanMatch): Test {
  const type = match.match_type;
  const tests: Test[] = [];
  if (match.services.length > 0) {
    const services = textSet(match.services, type);
    tests.push(() => {
      const found = resource.attribute('service.name');
      return services(found === undefined ? '<nil-service-name>' : valueText(found));
    });
  }
  if (match.span_names.length > 0) {
    const names = textSet(match.span_names, type);
    tests.push(() => names(span.text(SPAN.name)));
  }
  if (match.span_kinds.length > 0) {
    const kinds = textSet(match.span_kinds, type);
    tests.push(() => kinds(KINDS[span.int(SPAN.kind)] ?? ''));
  }
  for (const library of match.libraries) {
    const name = textSet([library.name], type);
    const version = library.version === undefined ? null : textSet([library.version], type);
    tests.push(() => name(scope.text(SCOPE.name)) && (version === null || version(scope.text(SCOPE.version))));
  }
  tests.push(attributesTest(resource, match.resources, type), attributesTest(span, match.attributes, type));
  return all(tests);
}
export const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((name) => `SPAN_KIND_${name}`);

export function logTest(match: LogMatch): Test {
  const type = match.match_type;
  const tests: Test[] = [];
  if (match.bodies.length > 0) {
    const bodies = textSet(match.bodies, type);
    tests.push(() => bodies(valueText(log.anyField(LOG.body))));
  }
  if (match.severity_texts.length > 0) {
    const texts = textSet(match.severity_texts, type);
    tests.push(() => texts(log.text(LOG.severityText)));
  }
  if (match.severity_number) {
    const { min, match_undefined } = match.severity_number;
    const least = severityNumber(min);
    tests.push(() => {
      const number = log.int(LOG.severityNumber);
      return number === 0 ? match_undefined : number >= least;
    });
  }
  tests.push(attributesTest(resource, match.resource_attributes, type), attributesTest(log, match.record_attributes, type));
  return all(tests);
}

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
/** 0: none given; -1: no such severity. */
export function severityNumber(text: string): number {
  if (text === '') return 0;
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 24 ? Number(text) : -1;
  const found = /^([A-Z]+)([234]?)$/.exec(text.toUpperCase());
  const level = found ? LEVELS.indexOf(found[1]!) : -1;
  return level < 0 ? -1 : 4 * level + (found![2] === '' ? 1 : Number(found![2]));
}

/** The metric that is visited and a data point of it, as expressions see them. */
const point = new Cursor(NUMBER_POINT_TYPE);
const labels: Labels = {
  get metricName() {
    return metric.text(METRIC.name);
  },
  get metricType() {
    return METRIC_TYPES[position.metricKind] ?? '';
  },
  label(key) {
    const found = point.attribute(key);
    return found === undefined || typeof found === 'string' ? found : '';
  },
};
const METRIC_TYPES: Readonly<Record<number, string>> = {
  [METRIC.gauge]: 'Gauge',
  [METRIC.sum]: 'Sum',
  [METRIC.histogram]: 'Histogram',
  [METRIC.exponentialHistogram]: 'ExponentialHistogram',
  [METRIC.summary]: 'Summary',
};
/** Whether one of the expressions holds for one of the data points. */
function metricExpressions(expressions: readonly string[]): Test | null {
  if (expressions.length === 0) return null;
  const tests = expressions.map(compileLabelsExpression);
  return () => {
    if (position.metricKind === 0) return false;
    const type = pointTypeOf(position.metricKind);
    for (let there = metricData.firstChild(METRIC_DATA.dataPoints, point, type); there; there = metricData.nextChild(METRIC_DATA.dataPoints, point, type))
      if (tests.some((test) => test(labels))) return true;
    return false;
  };
}

function metricNames(match: MetricMatch): Test | null {
  if (match.match_type === 'expr') return metricExpressions(match.expressions);
  if (match.metric_names.length === 0) return null;
  const names = textSet(match.metric_names, match.match_type);
  return () => names(metric.text(METRIC.name));
}
function metricResources(match: MetricMatch): Test | null {
  if (match.resource_attributes.length === 0) return null;
  if (match.match_type === 'expr') throw new Error("unrecognized match_type: 'expr', valid types are: [regexp strict]");
  return attributesTest(resource, match.resource_attributes, match.match_type);
}

/** Drops where `include` is there and does not hold, or `exclude` is and does. Null: never. */
function dropPass(level: typeof RECORD_LEVEL | typeof RESOURCE_LEVEL, include: Test | null, exclude: Test | null): Pass[] {
  if (include === null && exclude === null) return [];
  const visit = (): number => ((include !== null && !include()) || exclude?.() ? DROP : KEEP);
  return [{ level, visit, reads: RESOURCE_LEVEL | 2 | INNER_LEVEL, writes: 0, dropsEmpty: true }];
}
interface Both<T> {
  readonly include?: T | undefined;
  readonly exclude?: T | undefined;
}
const compiled = <T, R>(match: T | undefined, compile: (match: T) => R): R | null => (match === undefined ? null : compile(match));

export function spanPasses({ include, exclude }: Both<SpanMatch>): Pass[] {
  return dropPass(RECORD_LEVEL, compiled(include, spanTest), compiled(exclude, spanTest));
}
export function logPasses({ include, exclude }: Both<LogMatch>): Pass[] {
  return dropPass(RECORD_LEVEL, compiled(include, logTest), compiled(exclude, logTest));
}
export function metricPasses({ include, exclude }: Both<MetricMatch>): Pass[] {
  return [
    ...dropPass(RESOURCE_LEVEL, compiled(include, metricResources), compiled(exclude, metricResources)),
    ...dropPass(RECORD_LEVEL, compiled(include, metricNames), compiled(exclude, metricNames)),
  ];
}
