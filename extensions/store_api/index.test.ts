import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Lifecycle } from '#src/core/component.ts';
import { testContext, testHost } from '#src/core/testing/context.ts';
import { DEFAULT_TENANT, type StoreExtension } from '#src/store/store.ts';
import type { Tenant } from '#src/store/tenant.ts';
import { openTenant, temporaryDirectory, writeRequest } from '#src/store/testing/write_request.ts';
import { snappyEncode } from '#src/wire/snappy.ts';
import { freePort } from '#test/free_ports.ts';
import { configSchema } from './config.ts';
import { unescapeName } from './data.ts';
import definition from './index.ts';
import { formatTime, JsonWriter } from './json_writer.ts';
import { parseTime } from './params.ts';

const NOW = Math.floor(Date.now() / 60_000) * 60_000;

/** The extension over throw-away tenants. */
async function serve(): Promise<{ url: string; close(): Promise<void> }> {
  const tenants = new Map<string, Tenant>();
  const store: StoreExtension = {
    tenant(id) {
      let tenant = tenants.get(id);
      if (tenant === undefined) tenants.set(id, (tenant = openTenant(temporaryDirectory())));
      return tenant;
    },
    existingTenant: (id) => tenants.get(id),
    storeStatus: () => ({ directory: '', tenants: [...tenants.values()].map((tenant) => tenant.status()) }),
  };
  if (definition.kind !== 'extension') throw new Error('not an extension');
  const port = await freePort();
  const config = configSchema.parse({ endpoint: `127.0.0.1:${port}` });
  const extension: Lifecycle = definition.create(testContext(config, { host: testHost(new Map([['store', store]])) }));
  await extension.start!();
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      await extension.shutdown!();
      for (const tenant of tenants.values()) await tenant.close();
    },
  };
}

async function write(url: string, tenant: string, value: number): Promise<Response> {
  const series = [
    {
      labels: ['__name__', 'up', 'job', 'ü'],
      samples: [
        [NOW - 60_000, value],
        [NOW, value + 1],
      ] as const,
    },
    { labels: ['__name__', 'up', 'job', 'b'], samples: [[NOW, 7]] as const },
  ];
  const headers = { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf', ...(tenant === '' ? {} : { 'X-Scope-OrgID': tenant }) };
  return fetch(`${url}/api/v1/push`, { method: 'POST', headers, body: new Uint8Array(snappyEncode(writeRequest(series))) });
}
interface Answer {
  status: string;
  errorType?: string;
  error?: string;
  data: { resultType: string; result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[] };
}

test('what is written is found, for its tenant alone or for several together', async () => {
  const server = await serve();
  try {
    assert.equal((await write(server.url, '', 1)).status, 204);
    assert.equal((await write(server.url, 'team-a', 10)).status, 204);
    const ask = async (query: string, tenant = ''): Promise<Answer> => {
      const headers = tenant === '' ? {} : { 'X-Scope-OrgID': tenant };
      return (await (await fetch(`${server.url}/prometheus/api/v1/query?time=${NOW / 1000}&query=${encodeURIComponent(query)}`, { headers })).json()) as Answer;
    };
    const values = (answer: Answer) => answer.data.result.map(({ metric, value }) => `${metric.__tenant_id__ ?? ''} ${metric.job} ${value![1]}`).sort();
    assert.deepEqual(values(await ask('up')), [' b 7', ' ü 2']);
    assert.deepEqual(values(await ask('up', 'team-a')), [' b 7', ' ü 11']);
    assert.deepEqual(values(await ask('up{job="ü"}', `team-a|${DEFAULT_TENANT}`)), ['anonymous ü 2', 'team-a ü 11']);
    assert.deepEqual(values(await ask('up{__tenant_id__="team-a"}', `team-a|${DEFAULT_TENANT}`)), ['team-a b 7', 'team-a ü 11']);
    assert.deepEqual(values(await ask('up', 'nobody')), []);
    const bad = await ask('up', 'a/b');
    assert.equal(bad.errorType, 'bad_data');
  } finally {
    await server.close();
  }
});

test('a range query answers with points, a form with POST, and a large answer compressed where it is taken', async () => {
  const server = await serve();
  try {
    await write(server.url, '', 1);
    const form = new URLSearchParams({ query: 'up{job="ü"}', start: String(NOW / 1000 - 60), end: String(NOW / 1000), step: '30' });
    const answer = (await (await fetch(`${server.url}/api/v1/query_range`, { method: 'POST', body: form })).json()) as Answer;
    const at = NOW / 1000;
    assert.deepEqual(answer.data.result, [
      {
        metric: { __name__: 'up', job: 'ü' },
        values: [
          [at - 60, '1'],
          [at - 30, '1'],
          [at, '2'],
        ],
      },
    ]);
    form.set('query', 'vector(1) or up');
    form.set('step', '0.1');
    const body = await new Promise<Buffer>((done, fail) => {
      const request = http.get(`${server.url}/api/v1/query_range?${form}`, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
        assert.equal(response.headers['content-encoding'], 'gzip');
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => done(Buffer.concat(parts)));
      });
      request.on('error', fail);
    });
    const large = JSON.parse(gunzipSync(body).toString()) as Answer;
    assert.deepEqual(
      large.data.result.map(({ values }) => values!.length),
      [601, 1, 601],
    );
  } finally {
    await server.close();
  }
});

test('faults have the status and the words of Prometheus', async () => {
  const server = await serve();
  try {
    const check = async (path: string, status: number, error: string) => {
      const response = await fetch(server.url + path);
      const answer = (await response.json()) as Answer;
      assert.equal(response.status, status, path);
      assert.equal(answer.error, error);
    };
    await check('/api/v1/query?query=up%7B', 400, 'invalid parameter "query": 1:4: parse error: unexpected end of input inside braces');
    await check('/api/v1/query?query=1&time=x', 400, `invalid parameter "time": invalid time value for 'time': cannot parse "x" to a valid timestamp`);
    await check('/api/v1/query?query=label_replace(vector(1),%22a%22,%22b%22,%22c%22,%22(%22)', 422, 'invalid regular expression in label_replace(): (');
    await check(
      '/api/v1/query_range?query=1&start=0&end=11001&step=1',
      400,
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
    await check('/api/v1/series', 400, 'no match[] parameter provided');
    assert.equal((await fetch(`${server.url}/api/v1/query`, { method: 'DELETE' })).status, 405);
    assert.equal((await fetch(`${server.url}/nothing`)).status, 404);
    const refused = await fetch(`${server.url}/api/v1/write`, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } });
    assert.equal(refused.status, 415);
    const cors = await fetch(`${server.url}/api/v1/rules`, { headers: { origin: 'http://elsewhere' } });
    assert.equal(cors.headers.get('access-control-allow-origin'), '*');
  } finally {
    await server.close();
  }
});

test('the page and its files are served, and nothing else of the disk', async () => {
  const server = await serve();
  try {
    const page = await fetch(`${server.url}/`);
    assert.match(page.headers.get('content-type') ?? '', /text\/html/);
    const again = await fetch(`${server.url}/`, { headers: { 'if-none-match': page.headers.get('etag')! } });
    assert.equal(again.status, 304);
    assert.equal((await fetch(`${server.url}/ui/..%2f..%2fpackage.json`)).status, 404);
  } finally {
    await server.close();
  }
});

test('times are read as Prometheus reads them, and written as it writes them', () => {
  assert.equal(parseTime('1700000000.1234'), 1_700_000_000_123);
  assert.equal(parseTime('2026-01-01T00:00:00+01:00'), Date.UTC(2025, 11, 31, 23));
  assert.equal(parseTime('yesterday'), undefined);
  assert.equal(formatTime(1_700_000_000_000), '1700000000');
  assert.equal(formatTime(1_700_000_000_050), '1700000000.05');
  assert.equal(formatTime(-1500), '-1.5');
});

test('names beyond letters travel escaped in a path', () => {
  assert.equal(unescapeName('U__gr_f6__df_e'), 'größe');
  assert.equal(unescapeName('U__a__b'), 'a_b');
  assert.equal(unescapeName('dotted.label'), 'dotted.label');
  assert.equal(unescapeName('U__broken_zz_'), 'U__broken_zz_');
});

test('a native histogram is written with the inclusiveness of its bounds', () => {
  const h = {
    schema: 0,
    zeroThreshold: 0.5,
    zeroCount: 1,
    count: 6,
    sum: 2,
    hint: 0,
    positive: { index: [1, 2], count: [2, 0] },
    negative: { index: [1], count: [3] },
    customValues: [],
  };
  const text = new JsonWriter().histogram(h).bytes().toString();
  assert.equal(text, '{"count":"6","sum":"2","buckets":[[1,"-2","-1","3"],[3,"-0.5","0.5","1"],[0,"1","2","2"]]}');
});
