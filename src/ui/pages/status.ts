// What runs: the pipelines with their rates, and the scrape targets. Asked for every few seconds while the page is visible.
import { byId, call, element, shortNumber } from './dom.js';

interface Pipeline {
  readonly id: string;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}
/** Items since the start, by pipeline and then by component ("receiver:otlp"). */
type Totals = Readonly<Record<string, Readonly<Record<string, number>>>>;
interface Target {
  readonly health: string;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly lastError: string;
}

let last: { atMs: number; totals: Totals } | null = null;

export async function refreshStatus(): Promise<void> {
  await Promise.all([refreshPipelines(), refreshTargets()]);
}

async function refreshPipelines(): Promise<void> {
  const { pipelines, totals } = await call<{ pipelines: Pipeline[]; totals: Totals }>('/api/v1/penstock/pipelines'), atMs = performance.now();
  const rate = (pipeline: string, component: string): string => {
    const now = totals[pipeline]?.[component], before = last?.totals[pipeline]?.[component];
    if (now === undefined) return '';
    if (before === undefined || !last || atMs - last.atMs < 500) return `${shortNumber(now)} items`;
    return `${shortNumber(((now - before) * 1000) / (atMs - last.atMs))} /s`;
  };
  const node = (pipeline: string, kind: string, id: string) => element('div', { class: 'node', title: kind }, id, element('small', {}, rate(pipeline, `${kind}:${id}`) || kind));
  const arrow = () => element('span', { class: 'arrow', 'aria-hidden': 'true' }, '→');
  const rows = pipelines.map((one) => {
    const stage = (kind: string, ids: readonly string[]) => element('div', { class: 'stage' }, ...ids.map((id) => node(one.id, kind, id)));
    const stages = [stage('receiver', one.receivers), ...one.processors.map((id) => stage('processor', [id])), stage('exporter', one.exporters)];
    return element('div', { class: 'pipeline' }, element('strong', {}, one.id), ...stages.flatMap((made, i) => (i === 0 ? [made] : [arrow(), made])));
  });
  byId('pipeline-list').replaceChildren(...(rows.length > 0 ? rows : [element('p', { class: 'empty' }, 'No pipeline runs.')]));
  last = { atMs, totals };
}

async function refreshTargets(): Promise<void> {
  const { activeTargets } = await call<{ activeTargets: Target[] }>('/api/v1/targets?state=active');
  const rows = activeTargets.map((target) => {
    const labels = Object.entries(target.labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(' '), at = Date.parse(target.lastScrape);
    return element(
      'tr',
      {},
      element('td', { class: target.health === 'up' ? 'up' : target.health === 'down' ? 'down' : 'empty' }, target.health),
      element('td', {}, target.scrapePool),
      element('td', {}, target.scrapeUrl),
      element('td', { class: 'labels' }, labels),
      element('td', { class: 'number' }, at > 0 ? `${Math.max(0, (Date.now() - at) / 1000).toFixed(1)} s ago` : 'not yet'),
      element('td', { class: 'number' }, at > 0 ? `${(target.lastScrapeDuration * 1000).toFixed(1)} ms` : ''),
      element('td', { class: 'down' }, target.lastError),
    );
  });
  byId('target-rows').replaceChildren(...(rows.length > 0 ? rows : [element('tr', {}, element('td', { colspan: '7', class: 'empty' }, 'No prometheus receiver has targets.'))]));
}
