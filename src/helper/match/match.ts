/** Compiles include/exclude properties into a test of the record that the rewriter's cursors stand on. */
import type { Signal } from '#src/core/batch.ts';
import { ConfigError } from '#src/core/errors.ts';
import { compilePattern } from '#src/core/regexp/pattern.ts';
import type { Cursor } from '#src/data/cursor.ts';
import { log, metric, resource, scope, span } from '#src/data/contexts.ts';
import { keyId } from '#src/data/keys.ts';
import { LOG, METRIC, SCOPE, SPAN } from '#src/data/message_types.ts';
import { STRING, type Value } from '#src/data/value.ts';
import { valueText } from '#src/data/value_text.ts';
import { toValue } from '#src/helper/attributes/config.ts';
import type { MatchProperties } from './config.ts';

/** Whether the record at hand matches. */
export type Test = () => boolean;
type Field = Exclude<keyof MatchProperties, 'match_type' | 'regexp'>;

const FIELDS: Readonly<Record<Signal, readonly Field[]>> = {
  traces: ['services', 'span_names', 'span_kinds', 'attributes', 'resources', 'libraries'],
  logs: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'attributes', 'resources', 'libraries'],
  metrics: ['metric_names', 'resources'],
};
const isGiven = (match: MatchProperties, field: Field): boolean => (Array.isArray(match[field]) ? match[field].length > 0 : match[field] !== undefined);

/** Null where everything matches. Throws ConfigError where a property does not fit the signal; `path` leads to the component. */
export function compileMatch(
  signal: Signal,
  include: MatchProperties | undefined,
  exclude: MatchProperties | undefined,
  path: readonly (string | number)[] = [],
): Test | null {
  const wanted = include && compileProperties(signal, include, [...path, 'include']),
    unwanted = exclude && compileProperties(signal, exclude, [...path, 'exclude']);
  if (!wanted && !unwanted) return null;
  return () => (!wanted || wanted()) && !unwanted?.();
}

function compileProperties(signal: Signal, match: MatchProperties, path: readonly (string | number)[]): Test {
  const allowed = FIELDS[signal],
    given = (Object.keys(match) as (keyof MatchProperties)[]).filter(
      (field): field is Field => field !== 'match_type' && field !== 'regexp' && isGiven(match, field as Field),
    );
  const issues = given
    .filter((field) => !allowed.includes(field))
    .map((field) => ({ path: [...path, field], message: `${field} is not valid for ${signal}; use ${allowed.join(', ')}` }));
  if (issues.length === 0 && given.length === 0)
    issues.push({ path: [...path, 'match_type'], message: `at least one of ${allowed.map((field) => `"${field}"`).join(', ')} must be specified` });
  if (issues.length > 0) throw new ConfigError(issues);
  const tests = given.map((field) => compileField(signal, match, field));
  return () => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!()) return false;
    return true;
  };
}

function compileField(signal: Signal, match: MatchProperties, field: Field): Test {
  const texts = (list: readonly string[], read: () => string | undefined): Test => {
    const matches = textTest(match, list);
    return () => {
      const text = read();
      return text !== undefined && matches(text);
    };
  };
  const record = signal === 'traces' ? span : signal === 'logs' ? log : metric;
  switch (field) {
    case 'services': {
      const id = keyId('service.name');
      return texts(match.services, () => (resource.readAttribute(id) === STRING ? resource.valueText() : undefined));
    }
    case 'span_names':
      return texts(match.span_names, () => span.text(SPAN.name));
    case 'span_kinds':
      return texts(match.span_kinds, () => KIND_NAMES[span.int(SPAN.kind)] ?? '');
    case 'log_bodies':
      return texts(match.log_bodies, () => (log.readAnyField(LOG.body) === STRING ? log.valueText() : undefined));
    case 'log_severity_texts':
      return texts(match.log_severity_texts, () => log.text(LOG.severityText));
    case 'log_severity_number': {
      const { min, match_undefined } = match.log_severity_number!;
      return () => {
        const severity = log.int(LOG.severityNumber);
        return severity === 0 ? match_undefined : severity >= min;
      };
    }
    case 'metric_names':
      return texts(match.metric_names, () => metric.text(METRIC.name));
    case 'attributes':
      return attributesTest(match, match.attributes, record);
    case 'resources':
      return attributesTest(match, match.resources, resource);
    case 'libraries': {
      const tests = match.libraries.map(({ name, version }) => ({
        name: textTest(match, [name]),
        version: version === undefined ? null : textTest(match, [version]),
      }));
      return () => tests.some((library) => library.name(scope.text(SCOPE.name)) && (library.version === null || library.version(scope.text(SCOPE.version))));
    }
  }
}
const KIND_NAMES = ['SPAN_KIND_UNSPECIFIED', 'SPAN_KIND_INTERNAL', 'SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT', 'SPAN_KIND_PRODUCER', 'SPAN_KIND_CONSUMER'];

function textTest(match: MatchProperties, list: readonly string[]): (text: string) => boolean {
  if (match.match_type === 'strict') {
    const wanted = new Set(list);
    return (text) => wanted.has(text);
  }
  const patterns = list.map(compilePattern);
  return (text) => patterns.some((pattern) => pattern.test(text));
}

function attributesTest(match: MatchProperties, list: MatchProperties['attributes'], cursor: Cursor): Test {
  const tests = list.map(({ key, value }) => {
    const id = keyId(key);
    if (value === undefined || value === null) return () => cursor.row(id) >= 0;
    const matches = match.match_type === 'strict' ? strictTest(toValue(value)) : regexpTest(textTest(match, [String(value)]));
    return () => {
      const row = cursor.row(id);
      return row >= 0 && matches(cursor.value(row));
    };
  });
  return () => tests.every((matches) => matches());
}
const isPlain = (value: Value): boolean => value !== null && typeof value !== 'object';
const strictTest =
  (wanted: Value) =>
  (value: Value): boolean =>
    isPlain(wanted) ? value === wanted : typeof value === 'object' && value !== null && valueText(value) === valueText(wanted);
const regexpTest =
  (matches: (text: string) => boolean) =>
  (value: Value): boolean =>
    isPlain(value) && matches(valueText(value));
