import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host, Lifecycle } from '#src/core/component.ts';
import { testContext, testHost } from '#src/core/testing/context.ts';
import extension from './index.ts';
import { configSchema } from './config.ts';
import { extensionPage, pipelinePage } from './pages.ts';

/** A host in which one pipeline has a component with an awkward name. */
function hostWith(flows: object[]): Host {
  const host = testHost(new Map([['zpages', {}]]));
  host.publish('pipelines', () => flows);
  return host;
}
const FLOW = {
  id: 'traces/a',
  signal: 'traces',
  receivers: [{ id: 'otlp/<b>', items: 7 }],
  processors: [],
  exporters: [{ id: 'debug', items: 5 }],
};

test('the pages show pipelines with what went through, and extensions, as text that cannot become markup', () => {
  const host = hostWith([FLOW]);
  assert.match(pipelinePage(host), /<td>traces\/a<\/td><td>traces<\/td><td>otlp\/&lt;b&gt; \(7\)<\/td><td><\/td><td>debug \(5\)<\/td>/);
  assert.match(extensionPage(host), /<td>zpages<\/td>/);
});

test('the pages are served where the extension listens, and nothing else is', async () => {
  // Port 0: the log line says which one the system chose.
  const context = { ...testContext(configSchema.parse({ endpoint: '127.0.0.1:0' })), host: hostWith([FLOW]) };
  const instance: Lifecycle = extension.create(context);
  await instance.start!();
  try {
    const line = context.telemetry.lines.find((text) => text.includes('Starting HTTP server'))!;
    const base = `http://${/127\.0\.0\.1:\d+/.exec(line)![0]}`;
    for (const name of ['servicez', 'pipelinez', 'extensionz', 'featurez']) {
      const answer = await fetch(`${base}/debug/${name}`);
      assert.equal(answer.status, 200, name);
      assert.match(answer.headers.get('content-type')!, /text\/html/);
      assert.match(await answer.text(), /<table/);
    }
    assert.equal((await fetch(`${base}/debug/tracez`)).status, 404);
  } finally {
    await instance.shutdown!();
  }
  await assert.doesNotReject(async () => instance.shutdown!());
});
