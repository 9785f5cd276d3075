import assert from 'node:assert/strict';
import test from 'node:test';
import type { ExtensionDefinition, Lifecycle, PipelineWatcher } from '#src/core/component.ts';
import { testContext } from '#src/core/testing/context.ts';
import { closedPort } from '#src/core/testing/ports.ts';
import definition from './index.ts';

async function running(options: Record<string, unknown>) {
  const port = await closedPort();
  const config = definition.configSchema.parse({ endpoint: `127.0.0.1:${port}`, ...options });
  const extension = (definition as ExtensionDefinition).create(testContext(config)) as Lifecycle & PipelineWatcher;
  await extension.start!();
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
  return { extension, get, config };
}

test('it is unavailable until all runs and again while stopping', async () => {
  const { extension, get } = await running({});
  assert.deepEqual(await get('/'), {
    status: 503,
    type: 'application/json',
    body: '{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}',
  });
  extension.ready();
  const answer = await get('/?probe=1');
  assert.equal(answer.status, 200);
  assert.match(answer.body, /^\{"status":"Server available","upSince":"\d{4}-\d\d-\d\dT[\d:.]+Z","uptime":"[\d.]+s"\}$/);
  extension.notReady();
  assert.equal((await get('/')).status, 503);
  await extension.shutdown!();
  await extension.shutdown!();
});

test('path and bodies are those of the configuration', async () => {
  const { extension, get } = await running({ path: '/health', response_body: { healthy: 'fine' } });
  assert.equal((await get('/')).status, 404);
  assert.deepEqual([(await get('/health')).status, (await get('/health')).body], [503, '']);
  extension.ready();
  assert.deepEqual([(await get('/health')).status, (await get('/health')).body], [200, 'fine']);
  await extension.shutdown!();
});

test('a taken port is an error of the start', async () => {
  const { extension, config } = await running({});
  await assert.rejects(async () => (definition as ExtensionDefinition).create(testContext(config)).start!(), /EADDRINUSE: address already in use/);
  await extension.shutdown!();
});

test('what is not built is refused', () => {
  for (const key of ['tls', 'cors', 'auth', 'use_v2', 'grpc'])
    assert.match(String(definition.configSchema.safeParse({ [key]: {} }).error), /is not supported yet/, key);
  assert.equal(definition.configSchema.safeParse({ path: 'health' }).success, false);
});
