/**
 * Prometheus relabelling: rules that keep, drop, rewrite and copy labels, for targets before they are scraped and for samples afterwards. Rules are
 * compiled once, with all checks; applying one neither throws nor logs. Which rules were written where is the config layer's affair.
 */
import { createHash } from 'node:crypto';
import { compileAnchored, expand, type Pattern } from '#src/core/regexp/pattern.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** One rule as configurations have it; what is absent has Prometheus's default. */
export interface RelabelRule {
  readonly source_labels?: readonly string[] | undefined;
  readonly separator?: string | undefined;
  readonly regex?: string | undefined;
  readonly modulus?: number | undefined;
  readonly target_label?: string | undefined;
  readonly replacement?: string | undefined;
  readonly action?: string | undefined;
}

/** `utf8`: any non-empty name; `legacy`: letters, digits and underscores. */
export type NameScheme = 'utf8' | 'legacy';

/** Labels by name, without empty values. */
export type Labels = Map<string, string>;

/** False: the rule drops the target or sample. */
export type RelabelStep = (labels: Labels) => boolean;

const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LEGACY_TARGET = /^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$/;

export function isLabelName(name: string, scheme: NameScheme): boolean {
  return scheme === 'legacy' ? LEGACY_LABEL.test(name) : name !== '';
}
export function isMetricName(name: string, scheme: NameScheme): boolean {
  return scheme === 'legacy' ? LEGACY_METRIC.test(name) : name !== '';
}

/** Throws an Error with Prometheus's words where the rule makes no sense. */
export function compileRule(rule: RelabelRule, scheme: NameScheme): RelabelStep {
  const action = (rule.action ?? 'replace').toLowerCase() as RelabelAction;
  if (!RELABEL_ACTIONS.includes(action)) throw new Error(`unknown relabel action "${rule.action}"; use one of: ${RELABEL_ACTIONS.join(', ')}`);
  const sources = rule.source_labels ?? [];
  const separator = rule.separator ?? ';';
  const target = rule.target_label ?? '';
  const replacement = rule.replacement ?? '$1';
  for (const name of sources) if (!isLabelName(name, scheme)) throw new Error(`"${name}" is not a valid label name`);
  check(rule, action, scheme);
  const pattern = compileAnchored(rule.regex ?? '(.*)');
  const source = joiner(sources, separator);
  switch (action) {
    case 'keep':
      return (labels) => pattern.test(source(labels));
    case 'drop':
      return (labels) => !pattern.test(source(labels));
    case 'keepequal':
      return (labels) => (labels.get(target) ?? '') === source(labels);
    case 'dropequal':
      return (labels) => (labels.get(target) ?? '') !== source(labels);
    case 'lowercase':
      return (labels) => set(labels, target, source(labels).toLowerCase());
    case 'uppercase':
      return (labels) => set(labels, target, source(labels).toUpperCase());
    case 'hashmod':
      return (labels) => set(labels, target, hashModulus(source(labels), BigInt(rule.modulus!)));
    case 'labelmap':
      return (labels) => mapNames(labels, pattern, replacement);
    case 'labeldrop':
      return (labels) => deleteNames(labels, (name) => pattern.test(name));
    case 'labelkeep':
      return (labels) => deleteNames(labels, (name) => !pattern.test(name));
    case 'replace':
      return replacer(source, pattern, target, replacement, scheme);
  }
}

/** All rules in order; false as soon as one drops. */
export function applyRules(steps: readonly RelabelStep[], labels: Labels): boolean {
  for (let i = 0; i < steps.length; i++) if (!steps[i]!(labels)) return false;
  return true;
}

function check(rule: RelabelRule, action: RelabelAction, scheme: NameScheme): void {
  const target = rule.target_label ?? '';
  const needsTarget = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'].includes(action);
  if (action === 'hashmod' && !rule.modulus) throw new Error('relabel configuration for hashmod requires non-zero modulus');
  if (needsTarget && target === '') throw new Error(`relabel configuration for ${action} action requires 'target_label' value`);
  const templated = action === 'replace' && target.includes('$');
  if (needsTarget && !(templated ? scheme === 'utf8' || LEGACY_TARGET.test(target) : isLabelName(target, scheme))) {
    throw new Error(`"${target}" is invalid 'target_label' for ${action} action`);
  }
  const replacementSet = rule.replacement !== undefined && rule.replacement !== '$1';
  if (['lowercase', 'uppercase'].includes(action) && replacementSet) throw new Error(`'replacement' can not be set for ${action} action`);
  if (action === 'labelmap' && scheme === 'legacy' && !LEGACY_TARGET.test(rule.replacement ?? '$1'))
    throw new Error(`"${rule.replacement}" is invalid 'replacement' for labelmap action`);
  const others = rule.modulus || (rule.separator !== undefined && rule.separator !== ';') || replacementSet;
  if (['keepequal', 'dropequal'].includes(action) && (others || (rule.regex !== undefined && rule.regex !== '(.*)'))) {
    throw new Error(`${action} action requires only 'source_labels' and 'target_label', and no other fields`);
  }
  if (['labeldrop', 'labelkeep'].includes(action) && (others || rule.source_labels !== undefined || target !== '')) {
    throw new Error(`${action} action requires only 'regex', and no other fields`);
  }
}

function joiner(sources: readonly string[], separator: string): (labels: Labels) => string {
  if (sources.length === 0) return () => '';
  if (sources.length === 1) {
    const only = sources[0]!;
    return (labels) => labels.get(only) ?? '';
  }
  return (labels) => {
    let text = labels.get(sources[0]!) ?? '';
    for (let i = 1; i < sources.length; i++) text += separator + (labels.get(sources[i]!) ?? '');
    return text;
  };
}

function set(labels: Labels, name: string, value: string): true {
  if (value === '') labels.delete(name);
  else labels.set(name, value);
  return true;
}

function replacer(source: (labels: Labels) => string, pattern: Pattern, target: string, replacement: string, scheme: NameScheme): RelabelStep {
  const fixedTarget = !target.includes('$');
  return (labels) => {
    const match = pattern.groups(source(labels));
    if (match === null) return true;
    const name = fixedTarget ? target : expand(target, match, pattern.groupNames);
    if (!fixedTarget && !isLabelName(name, scheme)) return true;
    return set(labels, name, expand(replacement, match, pattern.groupNames));
  };
}

/** The last 8 bytes of the MD5 sum as a big-endian number, modulo: the same shard as in Prometheus. */
function hashModulus(text: string, modulus: bigint): string {
  return String(createHash('md5').update(text).digest().readBigUInt64BE(8) % modulus);
}

function mapNames(labels: Labels, pattern: Pattern, replacement: string): true {
  for (const [name, value] of [...labels]) {
    const match = pattern.groups(name);
    if (match !== null) set(labels, expand(replacement, match, pattern.groupNames), value);
  }
  return true;
}

function deleteNames(labels: Labels, isUnwanted: (name: string) => boolean): true {
  for (const name of [...labels.keys()]) if (isUnwanted(name)) labels.delete(name);
  return true;
}
