/** From discovered addresses to targets: labels are completed, relabelled and checked, as Prometheus does it; then URL and identity follow from them. */
import { applyRules, type Labels } from '#src/helper/relabel.ts';
import { parsePrometheusDuration } from './config.ts';
import type { Job } from './job.ts';
import type { TargetGroup } from '#src/helper/discovery/discovery.ts';

export interface Target {
  /** Labels and URL: what makes it the same target in the next discovery. */
  readonly key: string;
  /** Before relabelling. */
  readonly discovered: Labels;
  /** After relabelling, without those that begin with "__". */
  readonly labels: Labels;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly path: string;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** The targets of a job, each once, and what was wrong with the others. */
export function targetsOf(job: Job, groups: readonly TargetGroup[]): { targets: Map<string, Target>; failures: string[]; dropped: Labels[] } {
  const targets = new Map<string, Target>();
  const failures: string[] = [];
  const dropped: Labels[] = [];
  for (const group of groups) {
    for (const address of group.targets) {
      const discovered = discoveredLabels(job, address, group.labels);
      try {
        const target = makeTarget(job, discovered);
        if (target === null) dropped.push(discovered);
        else targets.set(target.key, target);
      } catch (error) {
        failures.push(`${address}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return { targets, failures, dropped };
}

/** Prometheus writes a duration with its biggest units first; relabelling may look at it. */
function durationText(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

function discoveredLabels(job: Job, address: string, groupLabels: Readonly<Record<string, string>>): Labels {
  const labels: Labels = new Map();
  for (const [name, value] of Object.entries(groupLabels)) if (value !== '') labels.set(name, value);
  labels.set('__address__', address);
  const defaults: [string, string][] = [
    ['job', job.name],
    ['__scrape_interval__', durationText(job.intervalMs)],
    ['__scrape_timeout__', durationText(job.timeoutMs)],
    ['__metrics_path__', job.config.metrics_path],
    ['__scheme__', job.config.scheme],
  ];
  for (const [name, values] of Object.entries(job.config.params)) if (values.length > 0) defaults.push([`__param_${name}`, values[0]!]);
  for (const [name, value] of defaults) if (!labels.has(name)) labels.set(name, value);
  return labels;
}

/** Null: relabelling drops it. Throws an Error where it cannot be scraped. */
function makeTarget(job: Job, discovered: Labels): Target | null {
  const labels: Labels = new Map(discovered);
  if (!applyRules(job.targetRules, labels)) return null;
  const address = labels.get('__address__') ?? '';
  if (address === '') throw new Error('no address');
  if (address.includes('/')) throw new Error(`"${address}" is not a valid hostname`);
  const intervalMs = parsePrometheusDuration(labels.get('__scrape_interval__') ?? '') ?? 0;
  const timeoutMs = parsePrometheusDuration(labels.get('__scrape_timeout__') ?? '') ?? 0;
  if (intervalMs === 0 || timeoutMs === 0) throw new Error('scrape interval and timeout must be durations above 0');
  if (timeoutMs > intervalMs) throw new Error('scrape timeout cannot be greater than scrape interval');
  if (!labels.has('instance')) labels.set('instance', address);
  const scheme = labels.get('__scheme__') ?? 'http';
  const path = requestPath(job, labels);
  const url = new URL(`${scheme}://${address}${path}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`scheme "${scheme}" is neither http nor https`);
  const secure = url.protocol === 'https:';
  const own: Labels = new Map([...labels].filter(([name]) => !name.startsWith('__')).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    key: JSON.stringify([[...own], url.href, intervalMs, timeoutMs]),
    discovered,
    labels: own,
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    hostHeader: url.host,
    path,
    url: url.href,
    intervalMs,
    timeoutMs,
  };
}

/** Path and parameters; a label __param_x replaces the first value of x. */
function requestPath(job: Job, labels: Labels): string {
  const params = new Map(Object.entries(job.config.params).map(([name, values]) => [name, [...values]]));
  for (const [label, value] of labels) {
    if (!label.startsWith('__param_')) continue;
    const name = label.slice('__param_'.length);
    const values = params.get(name);
    if (values !== undefined && values.length > 0) values[0] = value;
    else params.set(name, [value]);
  }
  const query = new URLSearchParams();
  for (const name of [...params.keys()].sort()) for (const value of params.get(name)!) query.append(name, value);
  const path = labels.get('__metrics_path__') ?? '/metrics';
  const joined = path.startsWith('/') ? path : `/${path}`;
  const text = query.toString();
  return text === '' ? joined : `${joined}${joined.includes('?') ? '&' : '?'}${text}`;
}
