import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
import { Batch, EMPTY_CONTEXT } from '#src/core/batch.ts';
import type { ExporterDefinition } from '#src/core/component.ts';
import { PermanentError, RetryableError } from '#src/core/errors.ts';
import { type RecordedTelemetry, testContext } from '#src/core/testing/context.ts';
import { decodeBody, isContentCoding } from '#src/net/compression.ts';
import { COMPRESSIONS } from '#src/net/config.ts';
import { encodeStatus } from '#src/net/grpc/status.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const ONE_SPAN = Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]);
const BATCH = new Batch('traces', [ONE_SPAN, ONE_SPAN], 2);
interface Seen {
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}
const seen: Seen[] = [];
let reply: { status: number; headers?: Record<string, string>; body?: Buffer | string } = { status: 200 };
let replies = (): typeof reply => reply;
const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    seen.push({ url: incoming.url ?? '', headers: incoming.headers, body: Buffer.concat(chunks) });
    const { status, headers, body } = replies();
    outgoing.writeHead(status, headers);
    outgoing.end(body);
  });
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => server.close());

/** Sends the batch without queue and retries, so that the outcome is that of one attempt. */
async function send(config: object = {}, batch = BATCH): Promise<RecordedTelemetry> {
  const parsed = configSchema.parse({ endpoint, retry_on_failure: { enabled: false }, sending_queue: { enabled: false }, ...config });
  const context = testContext(parsed, { id: 'otlp_http' });
  const exporter = (definition as ExporterDefinition<typeof configSchema>).create({ ...context, signals: ['traces'] });
  await exporter.start?.();
  try {
    await exporter.consume(batch);
  } finally {
    await exporter.shutdown?.();
  }
  return context.telemetry;
}

test('the defaults are those of the Collector, and what is not a URL or unknown is refused', () => {
  const config = configSchema.parse({ endpoint: 'http://a:4318' });
  assert.deepEqual(
    [config.compression, config.encoding, config.timeout, config.sending_queue.queue_size, config.retry_on_failure.initial_interval],
    ['gzip', 'proto', 30_000, 1000, 5000],
  );
  const fault = (value: object): string => configSchema.safeParse(value).error?.issues[0]?.message ?? '';
  assert.match(fault({}), /at least one endpoint must be specified/);
  assert.match(fault({ endpoint: 'http://bad host:%%' }), /endpoint must be a valid URL/);
  assert.match(fault({ endpoint, compression: 'brotli' }), /unsupported compression type "brotli"/);
  assert.match(fault({ endpoint, tls: { min_version: '1.3', max_version: '1.2' } }), /min_version cannot be greater than max_version/);
  assert.match(fault({ endpoint, tls: { min_version: '9.9' } }), /unsupported TLS version: "9.9"/);
  assert.match(fault({ endpoint, compression: 'snappy', compression_params: { level: 3 } }), /unsupported parameters \{Level:3\}/);
});

test('a batch goes to the path of its signal, as protobuf in gzip or as JSON', async () => {
  await send({ headers: { 'X-Key': 'v' } });
  const first = seen.pop()!;
  assert.equal(first.url, '/v1/traces');
  assert.equal(first.headers['content-type'], 'application/x-protobuf');
  assert.equal(first.headers['x-key'], 'v');
  assert.match(String(first.headers['user-agent']), /^Penstock\/\d/);
  assert.ok(zlib.gunzipSync(first.body).equals(BATCH.bytes));
  await send({ compression: 'zstd', traces_endpoint: `${endpoint}/own` });
  const second = seen.pop()!;
  assert.equal(second.url, '/own');
  assert.ok(zlib.zstdDecompressSync(second.body).equals(BATCH.bytes));
  await send({ compression: 'none', encoding: 'json', endpoint: `${endpoint}/base/` });
  const third = seen.pop()!;
  assert.equal(third.url, '/base/v1/traces');
  assert.equal((JSON.parse(third.body.toString()) as { resourceSpans: unknown[] }).resourceSpans.length, 2);
});

test('each compression of the Collector arrives, with the level that is asked for', async () => {
  for (const compression of COMPRESSIONS) {
    await send({ compression });
    const { headers, body } = seen.pop()!;
    assert.equal(headers['content-encoding'], compression === 'none' || compression === '' ? undefined : compression);
    assert.ok((isContentCoding(compression) ? await decodeBody(body, compression, 1000) : body).equals(BATCH.bytes), compression);
  }
  for (const [level, mark] of [
    [1, 4],
    [9, 2],
  ] as const) {
    await send({ compression_params: { level } });
    assert.equal(seen.pop()!.body[8], mark, 'gzip says whether it was fast or thorough');
  }
});

test('what came in as gzip goes out as it came, unless a level or JSON is asked for', async () => {
  const packed = zlib.gzipSync(BATCH.bytes, { level: 0 });
  const batch = new Batch('traces', BATCH.parts, 2, EMPTY_CONTEXT, false, null, {
    coding: 'gzip',
    pieces: [{ member: packed, plainBytes: BATCH.sizeBytes }],
    joinable: true,
  });
  const check = async (config: object, same: boolean): Promise<void> => {
    await send(config, batch);
    assert.equal(seen.pop()!.body.equals(packed), same, JSON.stringify(config));
  };
  await check({}, true);
  await check({ compression_params: { level: 1 } }, false);
  await check({ encoding: 'json' }, false);
  await check({ compressed_pass_through: 'off' }, false);
  await check({ compression: 'zstd' }, false);
});

test('429, 502, 503 and 504 may be tried again, other statuses may not', async () => {
  const status = encodeStatus({ code: 14, message: 'why', retryAfterMs: -1 });
  const check = async (code: number, retryAfter: string | undefined, kind: typeof RetryableError | typeof PermanentError, waitMs: number): Promise<void> => {
    reply = { status: code, headers: { 'content-type': 'application/x-protobuf', ...(retryAfter && { 'retry-after': retryAfter }) }, body: status };
    await assert.rejects(send(), (error) => {
      assert.ok(error instanceof kind, `${code}: ${String(error)}`);
      assert.match(error.message, new RegExp(`HTTP Status Code ${code}, Message=why`));
      if (error instanceof RetryableError) assert.ok(Math.abs(error.retryAfterMs - waitMs) < 2000, `${error.retryAfterMs}`);
      return true;
    });
  };
  await check(429, '7', RetryableError, 7000);
  await check(503, new Date(Date.now() + 30_000).toUTCString(), RetryableError, 30_000);
  await check(502, '7', RetryableError, 0);
  await check(504, undefined, RetryableError, 0);
  await check(400, undefined, PermanentError, 0);
  await check(500, undefined, PermanentError, 0);
  await check(302, undefined, PermanentError, 0);
  reply = { status: 200 };
});

test('partial success is logged, in protobuf and in JSON', async () => {
  reply = { status: 200, headers: { 'content-type': 'application/x-protobuf' }, body: Buffer.from([0x0a, 6, 0x08, 3, 0x12, 2, 0x68, 0x69]) };
  assert.ok((await send()).lines.some((line) => line.includes('Partial success response') && line.includes('"message":"hi","dropped_spans":3')));
  reply = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"partialSuccess":{"rejectedSpans":"2"}}' };
  assert.ok((await send()).lines.some((line) => line.includes('"dropped_spans":2')));
  reply = { status: 200 };
});

test('what a server says that is no OTLP is no failure where its status is good', async () => {
  for (const type of ['application/x-protobuf', 'application/json', 'text/html'])
    for (const body of ['<html>taken</html>', Buffer.from([0x0a, 200, 1]), '[]', 'null', '{"partialSuccess":7}']) {
      reply = { status: 202, headers: { 'content-type': type }, body };
      await send();
    }
  reply = { status: 200 };
});

test('307 and 308 lead to another place with the same body, at most ten times; 303 does not', async () => {
  seen.length = 0;
  const turns: (typeof reply)[] = [
    { status: 307, headers: { location: '/next' } },
    { status: 308, headers: { location: `${endpoint}/last` } },
  ];
  replies = () => turns.shift() ?? { status: 200 };
  await send({ compression: 'none' });
  assert.deepEqual(
    seen.map(({ url, body }) => [url, body.equals(BATCH.bytes)]),
    [
      ['/v1/traces', true],
      ['/next', true],
      ['/last', true],
    ],
  );
  seen.length = 0;
  replies = () => ({ status: 307, headers: { location: '/again' } });
  await assert.rejects(send(), (error) => error instanceof PermanentError && /HTTP Status Code 307/.test(error.message));
  assert.equal(seen.length, 11);
  replies = () => ({ status: 303, headers: { location: '/other' } });
  await assert.rejects(send(), PermanentError);
  assert.equal(seen.length, 12);
  replies = () => reply;
});

test('a server that is not there or does not answer may be tried again', async () => {
  await assert.rejects(send({ endpoint: 'http://127.0.0.1:9' }), RetryableError);
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  await assert.rejects(
    send({ endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, timeout: '100ms' }),
    (error) => error instanceof RetryableError && /no answer/.test(error.message),
  );
  silent.closeAllConnections();
  silent.close();
});
