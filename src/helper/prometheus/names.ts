/**
 * Names of metrics, labels and units as Prometheus knows them (otlptranslator): escaped to letters, digits and underscores or kept in UTF-8, with
 * suffixes for unit and kind or without.
 */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days', h: 'hours', min: 'minutes', s: 'seconds', ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds',
  By: 'bytes', KiBy: 'kibibytes', MiBy: 'mebibytes', GiBy: 'gibibytes', TiBy: 'tibibytes', KBy: 'kilobytes', MBy: 'megabytes', GBy: 'gigabytes', TBy: 'terabytes',
  m: 'meters', V: 'volts', A: 'amperes', J: 'joules', W: 'watts', g: 'grams', Cel: 'celsius', Hz: 'hertz', '1': '', '%': 'percent',
}; // biome-ignore format: a table
const PER_UNITS: Readonly<Record<string, string>> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', mo: 'month', y: 'year' };

export type TranslationStrategy = 'UnderscoreEscapingWithSuffixes' | 'UnderscoreEscapingWithoutSuffixes' | 'NoUTF8EscapingWithSuffixes' | 'NoTranslation';
export const TRANSLATION_STRATEGIES: readonly TranslationStrategy[] = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
];

export interface NameRules {
  /** '' for none. */
  readonly namespace: string;
  readonly suffixes: boolean;
  /** UTF-8 names stay as they are. */
  readonly utf8: boolean;
}
export function rulesOf(strategy: TranslationStrategy, namespace = ''): NameRules {
  return { namespace, suffixes: strategy.endsWith('WithSuffixes'), utf8: strategy.startsWith('No') };
}

/** What decides on a suffix. */
export type NameKind = 'gauge' | 'counter' | 'other';

/** The metric's name; throws an Error where nothing of it is left. */
export function metricName(name: string, unit: string, kind: NameKind, rules: NameRules): string {
  const built = rules.utf8
    ? utf8Name(name, unit, kind, rules)
    : rules.suffixes
      ? suffixedName(name, unit, kind, rules.namespace)
      : plainName(name, rules.namespace);
  if (built === '') throw new Error(`normalization for metric "${name}" resulted in empty name`);
  if (built !== name && !rules.utf8 && /^_+$/.test(built)) throw new Error(`normalization for metric "${name}" resulted in invalid name "${built}"`);
  return built;
}

const tokens = (text: string, separators: RegExp): string[] => text.split(separators).filter((token) => token !== '');

function plainName(name: string, namespace: string): string {
  const joined = tokens(name, /[^a-zA-Z0-9:_]+/u).join('_');
  if (namespace !== '') return `${tokens(namespace, /[^a-zA-Z0-9:_]+/u).join('_')}_${joined}`;
  return /^\d/.test(joined) ? `_${joined}` : joined;
}

function suffixedName(name: string, unit: string, kind: NameKind, namespace: string): string {
  let parts = tokens(name, /[^a-zA-Z0-9:]+/u);
  const { main, per } = unitSuffixes(unit),
    mainUnit = cleanUnit(main),
    perUnit = cleanUnit(per).replace(/_$/, '');
  const hasPer = perUnit !== '' && perUnit !== 'per' && !parts.includes(perUnit),
    hasMain = mainUnit !== '' && !parts.includes(mainUnit);
  if (hasMain) parts.push(hasPer ? mainUnit.replace(/_$/, '') : mainUnit);
  if (hasPer) parts.push(perUnit);
  const last = (suffix: string): void => void (parts = [...parts.filter((part) => part !== suffix), suffix]);
  if (kind === 'counter') last('total');
  if (unit === '1' && kind === 'gauge') last('ratio');
  if (namespace !== '') parts.unshift(namespace);
  const joined = parts.join('_');
  return /^\d/.test(joined) ? `_${joined}` : joined;
}

function utf8Name(input: string, unit: string, kind: NameKind, { namespace, suffixes }: NameRules): string {
  let name = namespace === '' ? input : `${namespace}_${input}`,
    ending = '';
  if (!suffixes) return name;
  const moveToEnd = (suffix: string): void => {
    if (name.endsWith(suffix) && name.length > suffix.length + 1) name = name.slice(0, -(suffix.length + 1));
    ending = `_${suffix}${ending}`;
  };
  if (unit === '1' && kind === 'gauge') moveToEnd('ratio');
  if (kind === 'counter') moveToEnd('total');
  const { main, per } = unitSuffixes(unit);
  if (per !== '') moveToEnd(per);
  if (main !== '' && !name.endsWith(main)) name = `${name}_${main}`;
  return name + ending;
}

function unitSuffixes(unit: string): { main: string; per: string } {
  const slash = unit.indexOf('/'),
    main = (slash < 0 ? unit : unit.slice(0, slash)).trim(),
    per = slash < 0 ? '' : unit.slice(slash + 1).trim();
  const named = (table: Readonly<Record<string, string>>, text: string): string =>
    text === '' || /[{}]/.test(text) ? '' : Object.hasOwn(table, text) ? table[text]! : text;
  const perUnit = named(PER_UNITS, per);
  return { main: named(UNITS, main), per: perUnit === '' ? '' : `per_${perUnit}` };
}
const cleanUnit = (unit: string): string =>
  unit
    .replace(/[^a-zA-Z0-9:]/gu, '_')
    .replace(/_+/g, '_')
    .replace(/^_/, '');

/** The unit as metadata shows it. */
export function unitName(unit: string, { utf8 }: NameRules): string {
  const { main, per } = unitSuffixes(unit),
    parts = (utf8 ? [main, per] : [cleanUnit(main), cleanUnit(per)]).filter((part) => part !== '');
  return parts.join('_').replace(/^_/, '').replace(/_$/, '');
}

/** The label's name; throws an Error where nothing of it is left. */
export function labelName(name: string, { utf8 }: NameRules, keepUnderscores = false): string {
  if (name === '') throw new Error('label name is empty');
  if (utf8) {
    if (/^_+$/.test(name)) throw new Error(`label name "${name}" contains only underscores`);
    return name;
  }
  let built: string;
  if (keepUnderscores) built = name.replace(/[^a-zA-Z0-9]/gu, '_');
  else {
    const reserved = name.length >= 4 && name.startsWith('__') && name.endsWith('__'),
      inner = (reserved ? name.slice(2, -2) : name).replace(/[^a-zA-Z0-9]+/gu, '_');
    built = reserved ? `__${inner}__` : inner;
  }
  if (/^\d/.test(built)) built = `key_${built}`;
  else if (!keepUnderscores && built.startsWith('_') && !built.startsWith('__')) built = `key${built}`;
  if (/^_*$/.test(built)) throw new Error(`normalization for label name "${name}" resulted in invalid name "${built}"`);
  return built;
}
