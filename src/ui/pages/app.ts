// The query box: expression, range and view live in the address, so a page can be sent to a colleague and the back button works.
import { byId, call, element, seriesName } from './dom.js';
import { clearGraph, drawGraph, type MatrixSeries } from './graph.js';
import { refreshStatus } from './status.js';

const RANGES: readonly (readonly [name: string, seconds: number])[] = [['5m', 300], ['15m', 900], ['1h', 3600], ['6h', 21600], ['1d', 86400], ['7d', 604800]];
/** About one point for every two pixels. */
const POINTS = 600;
const REFRESH_MS = 5000;
const FIRST_QUERY = 'sum by (receiver) (rate(otelcol_receiver_accepted_metric_points[1m]))';

interface VectorSeries extends MatrixSeries {
  readonly value?: readonly [number, string];
}
interface Answer {
  readonly resultType: 'vector' | 'matrix' | 'scalar' | 'string';
  readonly result: unknown;
}

const form = byId<HTMLFormElement>('query-form'), expression = byId<HTMLTextAreaElement>('expression'), outcome = byId('outcome'), fault = byId('fault');
const state = { range: 900, view: 'graph', endS: 0 };
let running: AbortController | null = null;

function readAddress(): void {
  const given = new URLSearchParams(location.search);
  expression.value = given.get('q') ?? FIRST_QUERY;
  state.range = Number(given.get('range')) || 900;
  state.view = given.get('view') === 'table' ? 'table' : 'graph';
  state.endS = Number(given.get('end')) || 0;
  byId<HTMLInputElement>('tenant').value = given.get('tenant') ?? '';
}

function writeAddress(): void {
  const parameters = new URLSearchParams({ q: expression.value, range: String(state.range), view: state.view });
  if (state.endS > 0) parameters.set('end', String(state.endS));
  const tenant = byId<HTMLInputElement>('tenant').value.trim();
  if (tenant) parameters.set('tenant', tenant);
  const address = `?${parameters}${location.hash}`;
  if (address !== `${location.search}${location.hash}`) history.pushState(null, '', address);
}

function showControls(): void {
  for (const button of byId('ranges').querySelectorAll('button')) button.setAttribute('aria-pressed', String(Number(button.dataset.seconds) === state.range));
  for (const button of byId('views').querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.view === state.view));
}

async function run(): Promise<void> {
  running?.abort();
  running = new AbortController();
  showControls();
  const query = expression.value.trim(), { signal } = running, startedMs = performance.now();
  if (query === '') return;
  try {
    const count = state.view === 'graph' ? await runGraph(query, signal) : await runTable(query, signal);
    fault.hidden = true;
    outcome.textContent = `${count} series, ${(performance.now() - startedMs).toFixed(0)} ms`;
  } catch (error) {
    if (signal.aborted) return;
    fault.textContent = error instanceof Error ? error.message : String(error);
    fault.hidden = false;
    outcome.textContent = '';
  }
}

async function runGraph(query: string, signal: AbortSignal): Promise<number> {
  const endS = state.endS || Date.now() / 1000, stepS = Math.max(1, Math.ceil(state.range / POINTS));
  const end = Math.floor(endS / stepS) * stepS, start = end - Math.floor(state.range / stepS) * stepS; // On a grid, so that a refresh moves and does not dance.
  const answer = await call<Answer>('/api/v1/query_range', { query, start: String(start), end: String(end), step: String(stepS) }, signal), series = answer.result as MatrixSeries[];
  byId('table').hidden = true;
  drawGraph(series, start, end, stepS, (from, to) => {
    state.endS = Math.ceil(to);
    state.range = Math.max(10, Math.round(to - from));
    writeAddress();
    void run();
  });
  return series.length;
}

async function runTable(query: string, signal: AbortSignal): Promise<number> {
  const answer = await call<Answer>('/api/v1/query', { query, ...(state.endS > 0 && { time: String(state.endS) }) }, signal);
  clearGraph();
  const rows = tableRows(answer);
  byId('table').hidden = false;
  byId('table').querySelector('tbody')!.replaceChildren(...(rows.length > 0 ? rows : [element('tr', {}, element('td', { colspan: '2', class: 'empty' }, 'Nothing matches.'))]));
  return rows.length;
}

function tableRows({ resultType, result }: Answer): HTMLElement[] {
  const row = (name: string, value: string) => element('tr', {}, element('td', {}, name), element('td', { class: 'number' }, value));
  if (resultType === 'scalar' || resultType === 'string') return [row(resultType, (result as [number, string])[1])];
  return (result as VectorSeries[]).map((one) => row(seriesName(one.metric), one.value?.[1] ?? (one.values ?? []).map(([time, value]) => `${value} @${time}`).join('\n')));
}

function setUp(): void {
  byId('ranges').append(...RANGES.map(([name, seconds]) => element('button', { type: 'button', 'data-seconds': String(seconds) }, name)));
  byId('ranges').addEventListener('click', (event) => {
    const seconds = Number((event.target as HTMLElement).dataset.seconds);
    if (!seconds) return;
    state.range = seconds;
    state.endS = 0;
    submit();
  });
  byId('views').addEventListener('click', (event) => {
    const { view } = (event.target as HTMLElement).dataset;
    if (!view) return;
    state.view = view;
    submit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  expression.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey) return; // Shift+Enter is a new line.
    event.preventDefault();
    submit();
  });
  byId('tenant').addEventListener('change', submit);
  addEventListener('popstate', () => {
    readAddress();
    void run();
  });
  setInterval(() => {
    if (document.hidden) return;
    void refreshStatus().catch(() => {}); // The query shows the error; a blink of the status need not.
    if (byId<HTMLInputElement>('refresh').checked && state.endS === 0) void run();
  }, REFRESH_MS);
}

function submit(): void {
  writeAddress();
  void run();
}

readAddress();
setUp();
void run();
void refreshStatus().catch((error: unknown) => {
  byId('pipeline-list').textContent = error instanceof Error ? error.message : String(error);
});
