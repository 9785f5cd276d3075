/** The pages as HTML, from what the program knows of itself when it is asked. No styles, no scripts: they are read by people in a hurry and by curl. */
import type { Host } from '#src/core/component.ts';
import { featureGates } from '#src/core/feature_gates.ts';

/** What the graph publishes as "pipelines". */
interface PublishedPipeline {
  readonly id: string;
  readonly signal: string;
  readonly receivers: readonly Part[];
  readonly processors: readonly Part[];
  readonly exporters: readonly Part[];
}
interface Part {
  readonly id: string;
  /** What has gone through, in items. */
  readonly items: number;
}

export function servicePage(host: Host, startedMs: number, nowMs: number): string {
  const rows = [
    ['Program', 'penstock'],
    ['Engine', `node ${process.version}`],
    ['Process', String(process.pid)],
    ['Start time', new Date(startedMs).toISOString()],
    ['Uptime', `${Math.round((nowMs - startedMs) / 1000)} s`],
    ['Pipelines', String(host.pipelines().length)],
  ];
  return page('Service', `${table(['', ''], rows)}<p>${link('pipelinez')} ${link('extensionz')} ${link('featurez')}</p>`);
}

export function pipelinePage(host: Host): string {
  const parts = (list: readonly Part[]): string => list.map(({ id, items }) => `${id} (${items})`).join(', ');
  const rows = (host.published('pipelines').flat() as PublishedPipeline[]).map(({ id, signal, receivers, processors, exporters }) => [
    id,
    signal,
    parts(receivers),
    parts(processors),
    parts(exporters),
  ]);
  return page('Pipelines', table(['Pipeline', 'Signal', 'Receivers (items)', 'Processors (items)', 'Exporters (items)'], rows));
}

export function extensionPage(host: Host): string {
  return page(
    'Extensions',
    table(
      ['Extension'],
      [...host.extensions().keys()].map((id) => [id]),
    ),
  );
}

export function featurePage(): string {
  return page(
    'Feature gates',
    table(
      ['Gate', 'Enabled'],
      featureGates().map(([id, enabled]) => [id, String(enabled)]),
    ),
  );
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1>${body}</body></html>\n`;
}
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (tag: string, cells: readonly string[]): string => `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table border="1">${line('th', head)}${rows.map((row) => line('td', row)).join('')}</table>`;
}
const link = (name: string): string => `<a href="/debug/${name}">${name}</a>`;
function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
