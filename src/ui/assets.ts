/**
 * The files of the browser page: src/ui/pages as they are, TypeScript with its types taken out, and uPlot from its package. Read once, when
 * first asked for. Nothing else of the disk can be reached: the names are a fixed list.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';

export interface UiAsset {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** For If-None-Match; changes with the content. */
  readonly etag: string;
}

const page = (name: string): string => readFileSync(new URL(`./pages/${name}`, import.meta.url), 'utf8');
const packaged = (name: string): string => readFileSync(createRequire(import.meta.url).resolve(name), 'utf8');
const script = (name: string): string => stripTypeScriptTypes(page(name));

const FILES: Readonly<Record<string, readonly [contentType: string, read: () => string]>> = {
  '/': ['text/html; charset=utf-8', () => page('index.html')],
  '/ui/style.css': ['text/css; charset=utf-8', () => page('style.css')],
  '/ui/app.js': ['text/javascript; charset=utf-8', () => script('app.ts')],
  '/ui/graph.js': ['text/javascript; charset=utf-8', () => script('graph.ts')],
  '/ui/status.js': ['text/javascript; charset=utf-8', () => script('status.ts')],
  '/ui/dom.js': ['text/javascript; charset=utf-8', () => script('dom.ts')],
  '/ui/uplot.js': ['text/javascript; charset=utf-8', () => packaged('uplot/dist/uPlot.esm.js')],
  '/ui/uplot.css': ['text/css; charset=utf-8', () => packaged('uplot/dist/uPlot.min.css')],
};
const loaded = new Map<string, UiAsset>();

/** The file of the page at an URL path, or undefined. */
export function uiAsset(path: string): UiAsset | undefined {
  const known = loaded.get(path);
  if (known) return known;
  if (!Object.hasOwn(FILES, path)) return undefined;
  const [contentType, read] = FILES[path]!,
    body = Buffer.from(read());
  const asset = { contentType, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
  loaded.set(path, asset);
  return asset;
}
