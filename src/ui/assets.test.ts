import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uiAsset } from './assets.ts';

test('every file that the page names is served, scripts without types', () => {
  const seen = new Set<string>(),
    open = ['/'];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const asset = uiAsset(path),
      text = Buffer.from(asset?.body ?? assert.fail(`${path} is missing`)).toString();
    if (asset!.contentType.startsWith('text/javascript')) assert.ok(!/^(interface|import type) /m.test(text), `${path} still has types`);
    for (const [, found] of text.matchAll(/(?:href|src)="(\/ui\/[^"]+)"/g)) open.push(found!);
    if (path.startsWith('/ui/') && path !== '/ui/uplot.js') for (const [, found] of text.matchAll(/from '\.\/([^']+)'/g)) open.push(`/ui/${found}`);
  }
  assert.deepEqual([...seen].sort(), ['/', '/ui/app.js', '/ui/dom.js', '/ui/graph.js', '/ui/status.js', '/ui/style.css', '/ui/uplot.css', '/ui/uplot.js']);
});

test('nothing else can be reached', () => {
  for (const path of ['/ui/', '/ui/../assets.ts', '/ui/app.ts', '/__proto__', '/constructor', '']) assert.equal(uiAsset(path), undefined, path);
});
